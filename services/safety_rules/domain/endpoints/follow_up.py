"""The follow-up of one treated participant, and the dates that endpoints read from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.episode import Span
from services.vocabulary.grade import Grade

DateEvent = Callable[["FollowUp"], datetime | None]
ListAssessments = Callable[["FollowUp"], Sequence[datetime]]
GradedInstant = tuple[datetime, Span]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The follow-up of one participant; instants are aware, in UTC.

    Args:
        participant: Pseudonym of the survivor of merges.
        anchors: Nothing in them lies after the data cut.
        ends_at: Last instant at which the participant was observed, at most the withdrawal and the
            data cut: later events do not count.
        acute: Overall grade of acute GVHD at each staging, by time.
        chronic: Global severity of chronic GVHD at each visit, as a grade, by time.
        stagings: Instants at which acute GVHD was staged.
        visits: Instants at which chronic GVHD was scored.
    """

    participant: str
    anchors: Anchors
    ends_at: datetime
    acute: tuple[GradedInstant, ...] = ()
    chronic: tuple[GradedInstant, ...] = ()
    stagings: tuple[datetime, ...] = ()
    visits: tuple[datetime, ...] = ()


def date_death(follow_up: FollowUp) -> datetime | None:
    """Return the instant of the death, or None."""
    return follow_up.anchors.died_at


def date_relapse(follow_up: FollowUp) -> datetime | None:
    """Return the instant of the relapse, or None."""
    return follow_up.anchors.relapsed_at


def date_second_transplant(follow_up: FollowUp) -> datetime | None:
    """Return the instant of the second graft, or None."""
    return follow_up.anchors.second_graft_at


def date_non_relapse_death(follow_up: FollowUp) -> datetime | None:
    """Return the instant of a death without prior relapse, whatever its cause, or None."""
    died_at, relapsed_at = date_death(follow_up), date_relapse(follow_up)
    return died_at if died_at and (relapsed_at is None or relapsed_at > died_at) else None


def date_relapse_or_death(follow_up: FollowUp) -> datetime | None:
    """Return the instant at which progression-free survival ended, or None."""
    return min(filter(None, (date_relapse(follow_up), date_death(follow_up))), default=None)


def date_certain_acute_gvhd(grade: Grade) -> DateEvent:
    """Return a function that dates the first acute GVHD that is certainly of *grade* or worse."""
    return lambda of: _find_first(at for at, span in of.acute if span.at_least >= grade)


def date_possible_acute_gvhd(grade: Grade) -> DateEvent:
    """Return a function that dates the first acute GVHD after entry that may be of *grade*."""
    return lambda of: _find_first_possible(of, of.acute, grade)


def date_certain_chronic_gvhd(severity: Grade) -> DateEvent:
    """Return a function that dates the first chronic GVHD certainly of *severity* or worse."""
    return lambda of: _find_first(at for at, span in of.chronic if span.at_least >= severity)


def date_possible_chronic_gvhd(severity: Grade) -> DateEvent:
    """Return a function that dates the first chronic GVHD after entry that may be of *severity*."""
    return lambda of: _find_first_possible(of, of.chronic, severity)


def list_stagings(follow_up: FollowUp) -> Sequence[datetime]:
    """Return the instants at which acute GVHD was staged."""
    return follow_up.stagings


def list_visits(follow_up: FollowUp) -> Sequence[datetime]:
    """Return the instants at which chronic GVHD was scored."""
    return follow_up.visits


COMPETING: Mapping[str, DateEvent] = {
    "death": date_death,
    "relapse": date_relapse,
    "second_transplant": date_second_transplant,
}


def _find_first_possible(
    follow_up: FollowUp, graded_instants: Sequence[GradedInstant], grade: Grade
) -> datetime | None:
    """Return the first instant after entry at which *grade* is possible."""
    entered_at = follow_up.anchors.first_infusion_at
    return _find_first(
        at
        for at, span in graded_instants
        if span.at_most >= grade and entered_at is not None and at > entered_at
    )


def _find_first(instants: Iterable[datetime]) -> datetime | None:
    return min(instants, default=None)
