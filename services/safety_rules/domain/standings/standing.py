"""The standing of a participant under each stopping rule."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.safety_rules.domain.facts.anchors import (
    Anchors,
    WindowPeriod,
    find_missing_anchor,
    find_window_periods,
)
from services.safety_rules.domain.standings.event_finder import (
    DatedEvent,
    EventFinder,
    take_lower_end,
    take_upper_end,
)
from services.safety_rules.domain.standings.standing_inputs import StandingInputs
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import Fact
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.protocol import Protocol, Rule
from services.vocabulary.standing import CompetingEvent, CountedEvent, Standing

_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimedStanding:
    """A standing, and the next instant at which it may change without a fact; None: never."""

    standing: Standing
    due_at: datetime | None


def may_change_standing(fact: Fact, protocol: Protocol) -> bool:
    """Return True when *fact* may change a standing although it changes no record."""
    body = fact.body
    is_steroid = isinstance(body, Administration) and body.drug in protocol.bedside.steroids
    return is_steroid or isinstance(body, Merge | Move)


def find_steroid_doses(facts: Iterable[Fact], protocol: Protocol) -> tuple[datetime, ...]:
    """Return the instants of the protocol's own steroid doses, in order."""
    return tuple(
        sorted(
            fact.observed_at
            for fact in facts
            if isinstance(fact.body, Administration)
            and fact.body.scheduled
            and fact.body.drug in protocol.bedside.steroids
            and fact.body.action in (Action.DOSE, Action.START)
        )
    )


def find_standing(rule: Rule, protocol: Protocol, inputs: StandingInputs) -> TimedStanding:
    """Return the participant's standing under *rule*."""
    anchors = inputs.anchors
    exposed_at = {
        "infused": anchors.first_infusion_at,
        "enrolled": anchors.enrolled_at,
        "transplanted": anchors.graft_at,
    }[rule.out_of]
    if missing_anchor := find_missing_anchor(rule, anchors):
        return _find_uncountable_standing(rule, protocol, inputs, missing_anchor)
    windows = find_window_periods(rule.window, anchors)
    ends_at = max((window.end for window in windows), default=None)
    empty = Standing(inputs.participant, rule.id)
    if exposed_at is None or ends_at is None or exposed_at >= ends_at:
        return TimedStanding(empty, None)
    finder = EventFinder(rule, protocol.laboratory, inputs, exposed_at, windows, ends_at)
    competing = _find_competing(rule, anchors, exposed_at)
    at_least, at_most = (
        list(finder.find_events(take_lower_end)),
        list(finder.find_events(take_upper_end)),
    )
    event = _unless_competed(_find_first(at_least), competing)
    confirmed = _unless_competed(
        _find_first(dated for dated in at_least if dated[0].confirmed), competing
    )
    upper = _unless_competed(_find_first(at_most), competing)
    highest = rule.if_a_grade_is_incomplete == "highest"
    operative = confirmed if rule.status == "confirmed" else upper if highest else event
    standing = replace(
        empty,
        exposed_at=exposed_at,
        window_ends_at=ends_at,
        frozen_at=anchors.withdrawn_at,
        event=event,
        confirmed=confirmed,
        upper=upper,
        competing=None if operative else competing,
        transplant_day=anchors.find_transplant_day(event.at) if event else None,
        treatment_day=anchors.find_treatment_day(event.at) if event else None,
    )
    due_instants = (due_at for _, due_at in (*at_least, *at_most) if due_at is not None)
    return TimedStanding(standing, min(due_instants, default=None))


def _find_uncountable_standing(
    rule: Rule, protocol: Protocol, inputs: StandingInputs, missing_anchor: str
) -> TimedStanding:
    """Return the standing of a treated participant whose window is not known.

    Any event since treatment may be inside the window.
    """
    treated_at = inputs.anchors.first_infusion_at or _FOREVER
    windows = (WindowPeriod(treated_at, _FOREVER),)
    finder = EventFinder(rule, protocol.laboratory, inputs, treated_at, windows, _FOREVER)
    at_most = list(finder.find_events(take_upper_end))
    upper = _unless_competed(
        _find_first(at_most), _find_competing(rule, inputs.anchors, treated_at)
    )
    standing = Standing(inputs.participant, rule.id, upper=upper, missing_anchor=missing_anchor)
    due_instants = (due_at for _, due_at in at_most if due_at is not None)
    return TimedStanding(standing, min(due_instants, default=None))


def _find_first(events: Iterable[DatedEvent]) -> CountedEvent | None:
    """Return the earliest of *events* that counts already."""
    counted_events = [event for event, due_at in events if due_at is None]
    return min(counted_events, key=lambda event: (event.at, event.episode), default=None)


def _unless_competed(
    event: CountedEvent | None, competing: CompetingEvent | None
) -> CountedEvent | None:
    """Return *event*, or None when it came after the competing event."""
    is_late = event is not None and competing is not None and event.at > competing.at
    return None if is_late else event


def _find_competing(rule: Rule, anchors: Anchors, exposed_at: datetime) -> CompetingEvent | None:
    instants = {
        "death": anchors.died_at,
        "relapse": anchors.relapsed_at,
        "second_transplant": anchors.second_graft_at,
    }
    events = [
        CompetingEvent(instant, name)
        for name in rule.competing
        if (instant := instants.get(name)) is not None and instant >= exposed_at
    ]
    return min(events, key=lambda event: (event.at, event.what), default=None)
