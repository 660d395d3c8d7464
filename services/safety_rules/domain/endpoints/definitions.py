"""The endpoints of the trial: the event of each, and the events that compete with it."""

from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.endpoints.follow_up import (
    COMPETING,
    DateEvent,
    FollowUp,
    ListAssessments,
    date_certain_acute_gvhd,
    date_certain_chronic_gvhd,
    date_death,
    date_non_relapse_death,
    date_possible_acute_gvhd,
    date_possible_chronic_gvhd,
    date_relapse,
    date_relapse_or_death,
    list_stagings,
    list_visits,
)
from services.safety_rules.domain.endpoints.risk_sets import CENSORED, Spell
from services.safety_rules.domain.syndromes.acute_gvhd import AcuteGrade
from services.safety_rules.domain.syndromes.chronic_gvhd import SEVERITY
from services.vocabulary.clinical_fact import ChronicSeverity
from services.vocabulary.endpoint import EndpointClock, EndpointKind, NotAtRisk
from services.vocabulary.grade import Grade

_GVHD_COMPETITORS = ("death", "relapse", "second_transplant")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An event, and the events that make it impossible.

    *date_possible_event* dates the first event after entry at the upper ends of incomplete
    assessments; None: all assessments are complete. *list_assessments* returns the instants at
    which somebody looked for the event; None: it is known without being looked for.
    """

    id: str
    title: str
    kind: EndpointKind
    date_event: DateEvent
    competing: tuple[str, ...] = ()
    date_possible_event: DateEvent | None = None
    list_assessments: ListAssessments | None = None


def _define_acute_gvhd(name: str, words: str, grade: AcuteGrade) -> Endpoint:
    title = f"Acute GVHD, grade {words}"
    event = date_certain_acute_gvhd(Grade(grade))
    perhaps = date_possible_acute_gvhd(Grade(grade))
    return Endpoint(name, title, "incidence", event, _GVHD_COMPETITORS, perhaps, list_stagings)


def _define_chronic_gvhd(name: str, title: str, severity: ChronicSeverity) -> Endpoint:
    event = date_certain_chronic_gvhd(SEVERITY[severity])
    perhaps = date_possible_chronic_gvhd(SEVERITY[severity])
    return Endpoint(name, title, "incidence", event, _GVHD_COMPETITORS, perhaps, list_visits)


ENDPOINTS = (
    Endpoint("os", "Overall survival", "survival", date_death),
    Endpoint("pfs", "Progression-free survival", "survival", date_relapse_or_death),
    Endpoint("nrm", "Non-relapse mortality", "incidence", date_non_relapse_death, ("relapse",)),
    Endpoint("relapse", "Relapse", "incidence", date_relapse, ("death",)),
    _define_acute_gvhd("agvhd-2-4", "II to IV", AcuteGrade.II),
    _define_acute_gvhd("agvhd-3-4", "III or IV", AcuteGrade.III),
    _define_chronic_gvhd("cgvhd", "Chronic GVHD", "mild"),
    _define_chronic_gvhd("cgvhd-moderate", "Chronic GVHD, moderate or severe", "moderate"),
)


def find_spell(endpoint: Endpoint, follow_up: FollowUp, clock: EndpointClock) -> Spell | NotAtRisk:
    """Return the time at risk of a treated participant and how it ended; or why there is none.

    At risk from the first infusion on, whatever the clock: nobody could have had an event that
    counts before. The event and its competitors are ordered by instant; of one instant the event
    comes first. The cause is the endpoint's id, or the name of the competing event.

    Raises:
        ValueError: The participant was never treated.
    """
    entered_at = follow_up.anchors.first_infusion_at
    if entered_at is None:
        raise ValueError(f"{follow_up.participant} was never treated")
    day_0 = follow_up.anchors.graft_at if clock == "transplant" else entered_at
    if day_0 is None:
        return NotAtRisk(follow_up.participant, "no transplant is known")
    event_at, cause = _find_first_event(endpoint, follow_up)
    last = _count_days(follow_up, day_0, event_at or follow_up.ends_at)
    if event_at is not None and event_at <= entered_at:
        reason = (
            "had it before entry" if cause == endpoint.id else f"{_spell_out(cause)} before entry"
        )
        return NotAtRisk(follow_up.participant, reason, last)
    if follow_up.ends_at < entered_at:
        return NotAtRisk(follow_up.participant, "follow-up ended before entry", last)
    return Spell(follow_up.participant, _count_days(follow_up, day_0, entered_at), last, cause)


def may_have_event(endpoint: Endpoint, follow_up: FollowUp, spell: Spell) -> bool:
    """Return True when an incomplete assessment leaves open that the event came while at risk."""
    if endpoint.date_possible_event is None or spell.cause == endpoint.id:
        return False
    entered_at, event_at = (
        follow_up.anchors.first_infusion_at,
        endpoint.date_possible_event(follow_up),
    )
    ended_at = _find_first_event(endpoint, follow_up)[0] or follow_up.ends_at
    return entered_at is not None and event_at is not None and entered_at < event_at <= ended_at


def is_event_assessed(endpoint: Endpoint, follow_up: FollowUp, spell: Spell) -> bool:
    """Return True when the event came, or somebody looked for it after entry."""
    if endpoint.list_assessments is None or spell.cause == endpoint.id:
        return True
    entered_at = follow_up.anchors.first_infusion_at
    return any(
        entered_at is not None and at > entered_at for at in endpoint.list_assessments(follow_up)
    )


def _find_first_event(endpoint: Endpoint, follow_up: FollowUp) -> tuple[datetime | None, str]:
    """Return the first event within the follow-up, and its name; `CENSORED` when none came."""
    candidates = [(endpoint.date_event(follow_up), 0, endpoint.id)]
    candidates += [(COMPETING[name](follow_up), 1, name) for name in endpoint.competing]
    events = [
        (at, order, name)
        for at, order, name in candidates
        if at is not None and at <= follow_up.ends_at
    ]
    if not events:
        return None, CENSORED
    event_at, _, name = min(events)
    return event_at, name


def _count_days(follow_up: FollowUp, start: datetime, instant: datetime) -> int:
    """Return the days from *start* to *instant* in the calendar of the site."""
    return (
        follow_up.anchors.find_local_date(instant) - follow_up.anchors.find_local_date(start)
    ).days


def _spell_out(name: str) -> str:
    return name.replace("_", " ")
