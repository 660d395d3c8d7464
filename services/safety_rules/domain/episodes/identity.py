"""Which record is which: identity that survives late, corrected and merged facts."""

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid5

from services.vocabulary.episode import Episode, EpisodeContent

_NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c01")
_OPEN_END = datetime.max.replace(tzinfo=UTC)


# Until when the evidence of a record goes; None: nobody has looked, it may go on.
FindEvidenceEnd = Callable[[EpisodeContent], datetime | None]


def _as_written(content: EpisodeContent) -> datetime | None:
    return content.resolved_at


@dataclass(frozen=True, slots=True)
class Occasion:
    """What caused new versions: the last fact of one message, or a timer."""

    subject: str
    seq: int
    recorded_at: datetime
    rules_version: str


def reconcile_records(
    latest: Sequence[Episode],
    contents: Sequence[EpisodeContent],
    occasion: Occasion,
    find_evidence_end: FindEvidenceEnd = _as_written,
) -> list[Episode]:
    """Return the versions to append so that the records of one participant say *contents*.

    Of the records that overlap a run, the longest overlap keeps its id (tie: nearest, then earliest
    onset); the others are retracted, with `merged_into`. A run that overlaps none gets a new id.

    Args:
        latest: The latest version of every record of the participant, retracted ones included.
        contents: What the facts say now.
        occasion: What caused it.
        find_evidence_end: Of *contents*.
    """
    unchanged = _unchanged(latest, contents)
    changed = [old for old in latest if old.id not in unchanged]
    said = {id(one) for one in unchanged.values()}
    new = [one for one in contents if id(one) not in said]
    matched = _matched(changed, new)
    ids = {old.id for old in latest}
    versions: list[Episode] = []
    for index, content in enumerate(new):
        version = _next_version(matched.get(index), content, occasion, ids)
        if version is not None:
            versions.append(version)
            ids.add(version.id)
    kept = {old.id for old in matched.values()}
    gone = [old for old in changed if old.id not in kept and not old.retracted]
    if not gone:
        return versions
    over = {old.id: old for old in _matched(latest, contents).values()}
    over |= {version.id: version for version in versions}
    return [*versions, *retract_records(gone, list(over.values()), occasion, find_evidence_end)]


def _unchanged(
    latest: Sequence[Episode], contents: Sequence[EpisodeContent]
) -> dict[str, EpisodeContent]:
    """Return which of *contents* a record says already, by its id: nothing overlaps it more."""
    now = {(one.criterion, one.onset_at, one.before_exposure): one for one in contents}
    found = {}
    for old in latest:
        said = old.content
        same = now.get((said.criterion, said.onset_at, said.before_exposure))
        if same is not None and not old.retracted and (same is said or same == said):
            found[old.id] = same
    return found


def retract_records(
    gone: Iterable[Episode],
    survivors: Sequence[Episode],
    occasion: Occasion,
    find_evidence_end: FindEvidenceEnd = _as_written,
) -> list[Episode]:
    """Return the versions that retract *gone*.

    Each names the survivor that overlaps it most, if one has taken its place: an open record that
    lies beside it has not, unless its evidence, which goes *find_evidence_end* then, reaches it.
    """
    versions = []
    for old in gone:
        taking = [
            new
            for new in survivors
            if _takes_the_place(new.content, old.content, find_evidence_end)
        ]
        into = max(taking, key=lambda new: _affinity(old.content, new.content), default=None)
        versions.append(
            replace(
                old,
                version=old.version + 1,
                seq=occasion.seq,
                recorded_at=occasion.recorded_at,
                rules_version=occasion.rules_version,
                cause="merged" if into else "retracted",
                retracted=True,
                merged_into=into.id if into else "",
            )
        )
    return versions


def _matched(latest: Sequence[Episode], contents: Sequence[EpisodeContent]) -> dict[int, Episode]:
    """Return which record each content continues, by index; every record continues one at most."""
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
        if (overlap := _overlap(old.content, new)) is not None
    ]
    matched: dict[int, Episode] = {}
    taken: set[str] = set()
    for *_, index, old in sorted(pairs, key=lambda pair: pair[:-1]):
        if index not in matched and old.id not in taken:
            matched[index] = old
            taken.add(old.id)
    return matched


def _overlap(one: EpisodeContent, other: EpisodeContent) -> timedelta | None:
    """Return how long two records share, None when they are of different things or never meet."""
    if one.criterion != other.criterion or one.before_exposure != other.before_exposure:
        return None
    start = max(one.onset_at, other.onset_at)
    end = min(one.resolved_at or _OPEN_END, other.resolved_at or _OPEN_END)
    shares = start < end or one.onset_at == other.onset_at
    return max(end - start, timedelta(0)) if shares else None


def _takes_the_place(new: EpisodeContent, old: EpisodeContent, until: FindEvidenceEnd) -> bool:
    if _overlap(new, old) is None:
        return False
    last_of_old = old.resolved_at or old.history[-1].at
    last_of_new = until(new)
    return new.onset_at <= last_of_old and (last_of_new is None or old.onset_at <= last_of_new)


def _affinity(one: EpisodeContent, other: EpisodeContent) -> timedelta:
    overlap = _overlap(one, other)
    return timedelta(-1) if overlap is None else overlap


def _next_version(
    old: Episode | None,
    content: EpisodeContent,
    occasion: Occasion,
    taken: Container[str],
) -> Episode | None:
    if old is None:
        ids = (_new_id(content, occasion, place) for place in count())
        return Episode(
            id=next(new for new in ids if new not in taken),
            version=1,
            content=content,
            seq=occasion.seq,
            recorded_at=occasion.recorded_at,
            rules_version=occasion.rules_version,
            cause="new",
        )
    if not old.retracted and old.content == content:
        return None
    return Episode(
        id=old.id,
        version=old.version + 1,
        content=content,
        seq=occasion.seq,
        recorded_at=occasion.recorded_at,
        rules_version=occasion.rules_version,
        cause="returned" if old.retracted else "changed",
    )


def _new_id(content: EpisodeContent, occasion: Occasion, place: int) -> str:
    parts = (content.participant, content.criterion, occasion.subject, occasion.seq, place)
    return str(uuid5(_NAMESPACE, "|".join(map(str, parts))))
