"""The identity of records, which survives late, corrected and merged facts."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

from services.safety_rules.domain.episodes.overlap import find_overlap
from services.vocabulary.episode import Episode, EpisodeContent

_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c01")


# Finds the instant up to which the evidence of a record goes; None: it may go on.
FindEvidenceEnd = Callable[[EpisodeContent], datetime | None]


def _find_written_end(content: EpisodeContent) -> datetime | None:
    return content.resolved_at


@dataclass(frozen=True, slots=True)
class Occasion:
    """The cause of new versions: the last fact of one message, or a timer."""

    subject: str
    seq: int
    recorded_at: datetime
    rules_version: str


def reconcile_records(
    latest: Sequence[Episode],
    contents: Sequence[EpisodeContent],
    occasion: Occasion,
    find_evidence_end: FindEvidenceEnd = _find_written_end,
) -> list[Episode]:
    """Return the versions to append so that the records of one participant become *contents*.

    Of the records that overlap a run, the longest overlap keeps its id (tie: nearest, then earliest
    onset); the others are retracted, with `merged_into`. A run that overlaps none gets a new id.

    Args:
        latest: The latest version of every record of the participant, retracted ones included.
        contents: The records that follow from the facts now.
        occasion: The cause of the new versions.
        find_evidence_end: For each of *contents*.
    """
    unchanged_contents = _find_unchanged(latest, contents)
    changed_records = [old for old in latest if old.id not in unchanged_contents]
    unchanged_objects = {id(one) for one in unchanged_contents.values()}
    new_contents = [one for one in contents if id(one) not in unchanged_objects]
    record_by_index = _match_records(changed_records, new_contents)
    ids = {old.id for old in latest}
    versions: list[Episode] = []
    for index, content in enumerate(new_contents):
        version = _make_next_version(record_by_index.get(index), content, occasion, ids)
        if version is not None:
            versions.append(version)
            ids.add(version.id)
    continued_ids = {old.id for old in record_by_index.values()}
    removed_records = [
        old for old in changed_records if old.id not in continued_ids and not old.retracted
    ]
    if not removed_records:
        return versions
    survivors = {old.id: old for old in _match_records(latest, contents).values()}
    survivors |= {version.id: version for version in versions}
    return [
        *versions,
        *retract_records(removed_records, list(survivors.values()), occasion, find_evidence_end),
    ]


def _find_unchanged(
    latest: Sequence[Episode], contents: Sequence[EpisodeContent]
) -> dict[str, EpisodeContent]:
    """Return those of *contents* that a record has already, by the id of the record."""
    content_by_key = {(one.criterion, one.onset_at, one.before_exposure): one for one in contents}
    unchanged_contents = {}
    for record in latest:
        recorded = record.content
        content = content_by_key.get(
            (recorded.criterion, recorded.onset_at, recorded.before_exposure)
        )
        if (
            content is not None
            and not record.retracted
            and (content is recorded or content == recorded)
        ):
            unchanged_contents[record.id] = content
    return unchanged_contents


def retract_records(
    removed_records: Iterable[Episode],
    survivors: Sequence[Episode],
    occasion: Occasion,
    find_evidence_end: FindEvidenceEnd = _find_written_end,
) -> list[Episode]:
    """Return the versions that retract *removed_records*.

    Each names the survivor that overlaps it most, if one has taken its place. An open record has
    taken it only when its evidence, up to `find_evidence_end`, reaches the retracted record.
    """
    versions = []
    for record in removed_records:
        successors = [
            new
            for new in survivors
            if _takes_the_place(new.content, record.content, find_evidence_end)
        ]
        successor = max(
            successors, key=lambda new: _measure_affinity(record.content, new.content), default=None
        )
        versions.append(
            replace(
                record,
                version=record.version + 1,
                seq=occasion.seq,
                recorded_at=occasion.recorded_at,
                rules_version=occasion.rules_version,
                cause="merged" if successor else "retracted",
                retracted=True,
                merged_into=successor.id if successor else "",
            )
        )
    return versions


def _match_records(
    latest: Sequence[Episode], contents: Sequence[EpisodeContent]
) -> dict[int, Episode]:
    """Return the record that each content continues, by index; no record is continued twice."""
    pairs = [
        (
            old.retracted,
            -overlap,
            abs(old.content.onset_at - new.onset_at),
            old.content.onset_at,
            new.onset_at,
            old.id,
            index,
            old,
        )
        for index, new in enumerate(contents)
        for old in latest
        if (overlap := _find_overlap(old.content, new)) is not None
    ]
    record_by_index: dict[int, Episode] = {}
    matched_ids: set[str] = set()
    for *_, index, record in sorted(pairs, key=lambda pair: pair[:-1]):
        if index not in record_by_index and record.id not in matched_ids:
            record_by_index[index] = record
            matched_ids.add(record.id)
    return record_by_index


def _find_overlap(first: EpisodeContent, second: EpisodeContent) -> timedelta | None:
    """Return the time that two records share; None: different criteria, or no shared time."""
    return find_overlap(first, second) if first.criterion == second.criterion else None


def _takes_the_place(
    successor: EpisodeContent, removed_record: EpisodeContent, find_evidence_end: FindEvidenceEnd
) -> bool:
    if _find_overlap(successor, removed_record) is None:
        return False
    removed_last_at = removed_record.resolved_at or removed_record.history[-1].at
    successor_last_at = find_evidence_end(successor)
    return successor.onset_at <= removed_last_at and (
        successor_last_at is None or removed_record.onset_at <= successor_last_at
    )


def _measure_affinity(first: EpisodeContent, second: EpisodeContent) -> timedelta:
    overlap = _find_overlap(first, second)
    return timedelta(-1) if overlap is None else overlap


def _make_next_version(
    record: Episode | None,
    content: EpisodeContent,
    occasion: Occasion,
    known_ids: Container[str],
) -> Episode | None:
    if record is None:
        ids = (_make_id(content, occasion, place) for place in count())
        return Episode(
            id=next(new for new in ids if new not in known_ids),
            version=1,
            content=content,
            seq=occasion.seq,
            recorded_at=occasion.recorded_at,
            rules_version=occasion.rules_version,
            cause="new",
        )
    if not record.retracted and record.content == content:
        return None
    return Episode(
        id=record.id,
        version=record.version + 1,
        content=content,
        seq=occasion.seq,
        recorded_at=occasion.recorded_at,
        rules_version=occasion.rules_version,
        cause="returned" if record.retracted else "changed",
    )


def _make_id(content: EpisodeContent, occasion: Occasion, place: int) -> str:
    parts = (content.participant, content.criterion, occasion.subject, occasion.seq, place)
    return str(uuid5(_NAMESPACE, "|".join(map(str, parts))))
