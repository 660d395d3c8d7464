"""The endpoints of the trial: which event each is of, and what competes with it."""

from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.endpoints.follow_up import (
    COMPETING,
    DateEvent,
    FollowUp,
    ListAssessments,
    certain_acute_gvhd,
    chronic_gvhd,
    date_death,
    date_non_relapse_death,
    date_relapse,
    date_relapse_or_death,
    list_severity_scores,
    list_stagings,
    possible_acute_gvhd,
)
from services.safety_rules.domain.endpoints.risk_sets import CENSORED, Spell
from services.safety_rules.domain.syndromes.gvhd import AcuteGrade
from services.vocabulary.endpoint import EndpointClock, EndpointKind, NotAtRisk
from services.vocabulary.fact import ChronicSeverity

_GVHD = ("death", "relapse", "second_transplant")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An event, and what makes it impossible.

    *date_possible_event* dates the event at the upper ends of incomplete assessments; None: all
    assessments are complete. *list_assessments* returns the instants at which somebody looked for
    the event; None: it is known without being looked for.
    """

    id: str
    title: str
    kind: EndpointKind
    date_event: DateEvent
    competing: tuple[str, ...] = ()
    date_possible_event: DateEvent | None = None
    list_assessments: ListAssessments | None = None


def _acute(name: str, words: str, grade: AcuteGrade) -> Endpoint:
    title = f"Acute GVHD, grade {words}"
    event, perhaps = certain_acute_gvhd(grade), possible_acute_gvhd(grade)
    return Endpoint(name, title, "incidence", event, _GVHD, perhaps, list_stagings)


def _chronic(name: str, title: str, severity: ChronicSeverity) -> Endpoint:
    event = chronic_gvhd(severity)
    return Endpoint(name, title, "incidence", event, _GVHD, list_assessments=list_severity_scores)


ENDPOINTS = (
    Endpoint("os", "Overall survival", "survival", date_death),
    Endpoint("pfs", "Progression-free survival", "survival", date_relapse_or_death),
    Endpoint("nrm", "Non-relapse mortality", "incidence", date_non_relapse_death, ("relapse",)),
    Endpoint("relapse", "Relapse", "incidence", date_relapse, ("death",)),
    _acute("agvhd-2-4", "II to IV", AcuteGrade.II),
    _acute("agvhd-3-4", "III or IV", AcuteGrade.III),
    _chronic("cgvhd", "Chronic GVHD", "mild"),
    _chronic("cgvhd-moderate", "Chronic GVHD, moderate or severe", "moderate"),
)


def find_spell(endpoint: Endpoint, of: FollowUp, clock: EndpointClock) -> Spell | NotAtRisk:
    """Return when a treated participant was at risk, and how that ended; or why never.

    At risk from the first infusion on, whatever the clock: nobody could have had an event that
    counts before. The event and its competitors are ordered by instant; of one instant the event
    comes first. The cause is the endpoint's id, or the name of the competing event.

    Raises:
        ValueError: The participant was never treated.
    """
    entered_at = of.anchors.first_infusion_at
    if entered_at is None:
        raise ValueError(f"{of.participant} was never treated")
    day_0 = of.anchors.graft_at if clock == "transplant" else entered_at
    if day_0 is None:
        return NotAtRisk(of.participant, "no transplant is known")
    at, cause = _first(endpoint, of)
    last = _days(of, day_0, at or of.ends_at)
    if at is not None and at <= entered_at:
        what = "had it before entry" if cause == endpoint.id else f"{_words(cause)} before entry"
        return NotAtRisk(of.participant, what, last)
    if of.ends_at < entered_at:
        return NotAtRisk(of.participant, "follow-up ended before entry", last)
    return Spell(of.participant, _days(of, day_0, entered_at), last, cause)


def may_have_event(endpoint: Endpoint, of: FollowUp, found: Spell) -> bool:
    """Say whether an incomplete assessment leaves open that the event came while at risk."""
    if endpoint.date_possible_event is None or found.cause == endpoint.id:
        return False
    entered_at, at = of.anchors.first_infusion_at, endpoint.date_possible_event(of)
    ended_at = _first(endpoint, of)[0] or of.ends_at
    return entered_at is not None and at is not None and entered_at < at <= ended_at


def is_event_assessed(endpoint: Endpoint, of: FollowUp, found: Spell) -> bool:
    """Say whether it is known that the event came, or somebody looked for it after entry."""
    if endpoint.list_assessments is None or found.cause == endpoint.id:
        return True
    entered_at = of.anchors.first_infusion_at
    return any(entered_at is not None and at > entered_at for at in endpoint.list_assessments(of))


def _first(endpoint: Endpoint, of: FollowUp) -> tuple[datetime | None, str]:
    """Return what came first within the follow-up; `CENSORED` when nothing did."""
    dated = [(endpoint.date_event(of), 0, endpoint.id)]
    dated += [(COMPETING[name](of), 1, name) for name in endpoint.competing]
    came = [(at, order, name) for at, order, name in dated if at is not None and at <= of.ends_at]
    if not came:
        return None, CENSORED
    at, _, name = min(came)
    return at, name


def _days(of: FollowUp, since: datetime, at: datetime) -> int:
    """In the calendar of the site."""
    return (of.anchors.find_local_date(at) - of.anchors.find_local_date(since)).days


def _words(name: str) -> str:
    return name.replace("_", " ")
