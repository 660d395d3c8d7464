"""Records under two versions of the criteria, side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from services.vocabulary.episode import EpisodeContent

_OPEN_END = datetime.max.replace(tzinfo=UTC)


class RecordDifference(StrEnum):
    """How a record would change."""

    STRICTER = "stricter"
    LOOSER = "looser"
    WIDER = "less certain"  # one end higher, the other lower
    NARROWER = "more certain"
    NEW = "stricter: a new record"
    POSSIBLE = "a possible record"
    GONE = "looser: no record any longer"
    OTHERWISE = "same worst grade, other times"
    DETAILS = "same grades and times, other details"
    SAME = "the same"


@dataclass(frozen=True, slots=True)
class RecordComparison:
    """One record before and after; None: there is none."""

    current: EpisodeContent | None
    proposed: EpisodeContent | None
    difference: RecordDifference

    @property
    def is_changed(self) -> bool:
        """Whether anything would change."""
        return self.difference is not RecordDifference.SAME

    @property
    def record(self) -> EpisodeContent:
        """The record as it is, or as it would be when it is new."""
        record = self.current or self.proposed
        if record is None:
            raise ValueError("a record is there before or after")
        return record


def compare_records(
    before: Iterable[EpisodeContent],
    after: Iterable[EpisodeContent],
    same: Mapping[str, str],
) -> list[RecordComparison]:
    """Return every record of *before* beside its own of *after*, by participant, term and onset.

    Those of one term that overlap belong together, the longest overlap first.

    Args:
        before: Current records.
        after: The same facts under the other table.
        same: The criterion of *after* that is meant by a criterion of *before*; the others have
            the same id on both sides, or no counterpart.
    """
    old_by, new_by = _by_criterion(before, same), _by_criterion(after, {})
    found: list[RecordComparison] = []
    for key in sorted({*old_by, *new_by}):
        found += _paired(old_by.get(key, []), new_by.get(key, []))
    return found


def _by_criterion(
    records: Iterable[EpisodeContent], same: Mapping[str, str]
) -> dict[tuple[str, str], list[EpisodeContent]]:
    found: dict[tuple[str, str], list[EpisodeContent]] = {}
    for record in sorted(records, key=lambda one: (one.onset_at, one.before_exposure)):
        criterion = same.get(record.criterion, record.criterion)
        found.setdefault((record.participant, criterion), []).append(record)
    return found


def _paired(
    before: Sequence[EpisodeContent], after: Sequence[EpisodeContent]
) -> list[RecordComparison]:
    pairs = sorted(
        (-overlap, i, k)
        for i, old in enumerate(before)
        for k, new in enumerate(after)
        if (overlap := _overlap(old, new)) is not None
    )
    mine: dict[int, int] = {}
    for _, i, k in pairs:
        if i not in mine and k not in mine.values():
            mine[i] = k
    found = [
        RecordComparison(old, after[mine[i]], _way(old, after[mine[i]]))
        if i in mine
        else RecordComparison(old, None, RecordDifference.GONE)
        for i, old in enumerate(before)
    ]
    new = [one for k, one in enumerate(after) if k not in mine.values()]
    return [
        *found,
        *(
            RecordComparison(
                None, one, RecordDifference.POSSIBLE if one.possible else RecordDifference.NEW
            )
            for one in new
        ),
    ]


def _overlap(one: EpisodeContent, other: EpisodeContent) -> timedelta | None:
    if one.before_exposure != other.before_exposure:
        return None
    start = max(one.onset_at, other.onset_at)
    end = min(one.resolved_at or _OPEN_END, other.resolved_at or _OPEN_END)
    return end - start if start < end or one.onset_at == other.onset_at else None


def _way(old: EpisodeContent, new: EpisodeContent) -> RecordDifference:
    low = new.worst.at_least - old.worst.at_least
    high = new.worst.at_most - old.worst.at_most
    if low == high == 0:
        same = _times(old) == _times(new) and old.possible == new.possible
        return RecordDifference.SAME if same else RecordDifference.OTHERWISE
    if low >= 0 and high >= 0:
        return RecordDifference.STRICTER
    if low <= 0 and high <= 0:
        return RecordDifference.LOOSER
    return RecordDifference.WIDER if high > low else RecordDifference.NARROWER


def _times(record: EpisodeContent) -> tuple[object, ...]:
    changes = tuple((change.at, change.span) for change in record.history)
    return record.onset_at, record.resolved_at, record.baseline_grade, changes
