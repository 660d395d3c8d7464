"""The endpoints of the trial: which event each is of, and what competes with it."""

from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.endpoints.follow_up import (
    COMPETING,
    Assessments,
    Dated,
    FollowUp,
    acute_gvhd,
    chronic_gvhd,
    death,
    non_relapse_death,
    perhaps_acute_gvhd,
    relapse,
    relapse_or_death,
    severities,
    stagings,
)
from services.safety_rules.domain.endpoints.risk_sets import CENSORED, Spell
from services.safety_rules.domain.syndromes.gvhd import AcuteGrade
from services.vocabulary.endpoint import Clock, Kind, NotAtRisk
from services.vocabulary.fact import ChronicSeverity

_GVHD = ("death", "relapse", "second_transplant")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An event, and what makes it impossible.

    *perhaps* dates the event at the upper ends of incomplete assessments; None: they are complete.
    *assessed* is when somebody looked for it; None: it is known without being looked for.
    """

    id: str
    title: str
    kind: Kind
    event: Dated
    competing: tuple[str, ...] = ()
    perhaps: Dated | None = None
    assessed: Assessments | None = None


def _acute(name: str, words: str, grade: AcuteGrade) -> Endpoint:
    title = f"Acute GVHD, grade {words}"
    event, perhaps = acute_gvhd(grade), perhaps_acute_gvhd(grade)
    return Endpoint(name, title, "incidence", event, _GVHD, perhaps, stagings)


def _chronic(name: str, title: str, severity: ChronicSeverity) -> Endpoint:
    event = chronic_gvhd(severity)
    return Endpoint(name, title, "incidence", event, _GVHD, assessed=severities)


ENDPOINTS = (
    Endpoint("os", "Overall survival", "survival", death),
    Endpoint("pfs", "Progression-free survival", "survival", relapse_or_death),
    Endpoint("nrm", "Non-relapse mortality", "incidence", non_relapse_death, ("relapse",)),
    Endpoint("relapse", "Relapse", "incidence", relapse, ("death",)),
    _acute("agvhd-2-4", "II to IV", AcuteGrade.II),
    _acute("agvhd-3-4", "III or IV", AcuteGrade.III),
    _chronic("cgvhd", "Chronic GVHD", "mild"),
    _chronic("cgvhd-moderate", "Chronic GVHD, moderate or severe", "moderate"),
)


def spell(endpoint: Endpoint, of: FollowUp, clock: Clock) -> Spell | NotAtRisk:
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
    last = _days(of, day_0, at or of.until)
    if at is not None and at <= entered_at:
        what = "had it before entry" if cause == endpoint.id else f"{_words(cause)} before entry"
        return NotAtRisk(of.participant, what, last)
    if of.until < entered_at:
        return NotAtRisk(of.participant, "follow-up ended before entry", last)
    return Spell(of.participant, _days(of, day_0, entered_at), last, cause)


def is_perhaps(endpoint: Endpoint, of: FollowUp, found: Spell) -> bool:
    """Say whether an incomplete assessment leaves open that the event came while at risk."""
    if endpoint.perhaps is None or found.cause == endpoint.id:
        return False
    entered_at, at = of.anchors.first_infusion_at, endpoint.perhaps(of)
    ended_at = _first(endpoint, of)[0] or of.until
    return entered_at is not None and at is not None and entered_at < at <= ended_at


def is_assessed(endpoint: Endpoint, of: FollowUp, found: Spell) -> bool:
    """Say whether it is known that the event came, or somebody looked for it after entry."""
    if endpoint.assessed is None or found.cause == endpoint.id:
        return True
    entered_at = of.anchors.first_infusion_at
    return any(entered_at is not None and at > entered_at for at in endpoint.assessed(of))


def _first(endpoint: Endpoint, of: FollowUp) -> tuple[datetime | None, str]:
    """Return what came first within the follow-up; `CENSORED` when nothing did."""
    dated = [(endpoint.event(of), 0, endpoint.id)]
    dated += [(COMPETING[name](of), 1, name) for name in endpoint.competing]
    came = [(at, order, name) for at, order, name in dated if at is not None and at <= of.until]
    if not came:
        return None, CENSORED
    at, _, name = min(came)
    return at, name


def _days(of: FollowUp, since: datetime, at: datetime) -> int:
    """In the calendar of the site."""
    return (of.anchors.find_local_date(at) - of.anchors.find_local_date(since)).days


def _words(name: str) -> str:
    return name.replace("_", " ")
