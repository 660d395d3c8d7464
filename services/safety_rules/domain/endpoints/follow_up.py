"""What is known of one treated participant, as the endpoints read it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.syndromes.gvhd import SEVERITY, AcuteGrade, grade_acute_gvhd
from services.vocabulary.fact import ChronicSeverity, GvhdStage

DateEvent = Callable[["FollowUp"], datetime | None]
ListAssessments = Callable[["FollowUp"], Sequence[datetime]]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Of one participant; instants are aware, in UTC.

    Args:
        participant: Pseudonym of the survivor of merges.
        anchors: Nothing in them lies after the data cut.
        ends_at: Last instant at which the participant was observed, at most the withdrawal and the
            data cut: what is dated later does not count.
        acute: Organ stages, by time.
        chronic: Global severity, by time.
    """

    participant: str
    anchors: Anchors
    ends_at: datetime
    acute: tuple[tuple[datetime, GvhdStage], ...] = ()
    chronic: tuple[tuple[datetime, ChronicSeverity], ...] = ()


def date_death(of: FollowUp) -> datetime | None:
    """Return when the participant died."""
    return of.anchors.died_at


def date_relapse(of: FollowUp) -> datetime | None:
    """Return when the malignancy came back."""
    return of.anchors.relapsed_at


def date_second_transplant(of: FollowUp) -> datetime | None:
    """Return when a second graft was infused."""
    return of.anchors.second_graft_at


def date_non_relapse_death(of: FollowUp) -> datetime | None:
    """Return when the participant died without prior relapse; an unknown cause counts."""
    died, relapsed = date_death(of), date_relapse(of)
    return died if died and (relapsed is None or relapsed > died) else None


def date_relapse_or_death(of: FollowUp) -> datetime | None:
    """Return when progression-free survival ended."""
    return min(filter(None, (date_relapse(of), date_death(of))), default=None)


def certain_acute_gvhd(grade: AcuteGrade) -> DateEvent:
    """Return what dates the first acute GVHD that is certainly of *grade* or worse."""
    return lambda of: _first(at for at, stages in of.acute if grade_acute_gvhd(stages)[0] >= grade)


def possible_acute_gvhd(grade: AcuteGrade) -> DateEvent:
    """Return what dates the first acute GVHD that may be of *grade* or worse."""
    return lambda of: _first(at for at, stages in of.acute if grade_acute_gvhd(stages)[1] >= grade)


def chronic_gvhd(severity: ChronicSeverity) -> DateEvent:
    """Return what dates the first chronic GVHD of *severity* or worse."""
    least = SEVERITY[severity]
    return lambda of: _first(at for at, found in of.chronic if SEVERITY[found] >= least)


def list_stagings(of: FollowUp) -> Sequence[datetime]:
    """Return when acute GVHD was staged."""
    return [at for at, _ in of.acute]


def list_severity_scores(of: FollowUp) -> Sequence[datetime]:
    """Return when chronic GVHD was scored."""
    return [at for at, _ in of.chronic]


COMPETING: Mapping[str, DateEvent] = {
    "death": date_death,
    "relapse": date_relapse,
    "second_transplant": date_second_transplant,
}


def _first(instants: Iterable[datetime]) -> datetime | None:
    return min(instants, default=None)
