"""Records under two versions of the criteria, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.safety_rules.domain.episodes.overlap import find_overlap
from services.vocabulary.episode import EpisodeContent


class RecordDifference(StrEnum):
    """The difference between a current record and a proposed one."""

    STRICTER = "stricter"
    LOOSER = "looser"
    WIDER = "less certain"  # one end higher, the other lower
    NARROWER = "more certain"
    NEW_RECORD = "stricter: a new record"
    POSSIBLE = "a possible record"
    LOST_RECORD = "looser: no record any longer"
    TIMES = "same worst grade, other times"
    DETAILS = "same grades and times, other details"
    NONE = "the same"


@dataclass(frozen=True, slots=True)
class RecordComparison:
    """One current record and the proposed one; None: there is none."""

    current_record: EpisodeContent | None
    proposed_record: EpisodeContent | None
    difference: RecordDifference

    @property
    def is_changed(self) -> bool:
        """True when anything would change."""
        return self.difference is not RecordDifference.NONE

    @property
    def record(self) -> EpisodeContent:
        """The current record, or the proposed one when it is new."""
        record = self.current_record or self.proposed_record
        if record is None:
            raise ValueError("a record is there before or after")
        return record


def compare_records(
    current_records: Iterable[EpisodeContent],
    proposed_records: Iterable[EpisodeContent],
    equivalent_criteria: Mapping[str, str],
) -> list[RecordComparison]:
    """Return every current record with its proposed one, by participant, term and onset.

    Those of one term that overlap belong together, the longest overlap first.

    Args:
        current_records: Current records.
        proposed_records: The records of the same facts under the other table.
        equivalent_criteria: The proposed criterion for a current one; the others have the same id
            on both sides, or no counterpart.
    """
    current_by_key, proposed_by_key = (
        _group_records(current_records, equivalent_criteria),
        _group_records(proposed_records, {}),
    )
    comparisons: list[RecordComparison] = []
    for key in sorted({*current_by_key, *proposed_by_key}):
        comparisons += _pair_records(current_by_key.get(key, []), proposed_by_key.get(key, []))
    return comparisons


def _group_records(
    records: Iterable[EpisodeContent], equivalent_criteria: Mapping[str, str]
) -> dict[tuple[str, str], list[EpisodeContent]]:
    records_by_key: dict[tuple[str, str], list[EpisodeContent]] = {}
    for record in sorted(records, key=lambda one: (one.onset_at, one.before_exposure)):
        criterion = equivalent_criteria.get(record.criterion, record.criterion)
        records_by_key.setdefault((record.participant, criterion), []).append(record)
    return records_by_key


def _pair_records(
    current_records: Sequence[EpisodeContent], proposed_records: Sequence[EpisodeContent]
) -> list[RecordComparison]:
    pairs = sorted(
        (-overlap, index, partner)
        for index, old in enumerate(current_records)
        for partner, new in enumerate(proposed_records)
        if (overlap := find_overlap(old, new)) is not None
    )
    partner_of: dict[int, int] = {}
    for _, index, partner in pairs:
        if index not in partner_of and partner not in partner_of.values():
            partner_of[index] = partner
    comparisons = [
        RecordComparison(
            old,
            proposed_records[partner_of[index]],
            _find_difference(old, proposed_records[partner_of[index]]),
        )
        if index in partner_of
        else RecordComparison(old, None, RecordDifference.LOST_RECORD)
        for index, old in enumerate(current_records)
    ]
    added_records = [
        proposed
        for partner, proposed in enumerate(proposed_records)
        if partner not in partner_of.values()
    ]
    return [
        *comparisons,
        *(
            RecordComparison(
                None,
                proposed,
                RecordDifference.POSSIBLE if proposed.possible else RecordDifference.NEW_RECORD,
            )
            for proposed in added_records
        ),
    ]


def _find_difference(
    current_record: EpisodeContent, proposed_record: EpisodeContent
) -> RecordDifference:
    low = proposed_record.worst.at_least - current_record.worst.at_least
    high = proposed_record.worst.at_most - current_record.worst.at_most
    if low == high == 0:
        is_same = (
            _times(current_record) == _times(proposed_record)
            and current_record.possible == proposed_record.possible
        )
        return RecordDifference.NONE if is_same else RecordDifference.TIMES
    if low >= 0 and high >= 0:
        return RecordDifference.STRICTER
    if low <= 0 and high <= 0:
        return RecordDifference.LOOSER
    return RecordDifference.WIDER if high > low else RecordDifference.NARROWER


def _times(record: EpisodeContent) -> tuple[object, ...]:
    changes = tuple((change.at, change.span) for change in record.history)
    return record.onset_at, record.resolved_at, record.baseline_grade, changes
