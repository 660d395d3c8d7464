"""Events that count for a stopping rule, and since when, in days after the first infusion."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from services.safety_rules.domain.facts.anchors import Anchors, find_missing_anchor
from services.safety_rules.domain.standings.standing import (
    StandingInputs,
    find_standing,
    find_steroid_doses,
)
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import Window, WindowEdge
from services.vocabulary.standing import CompetingEvent, CountedEvent, ObservedStanding, Standing
from tests.helpers.fact_notes import fact, hours
from tests.helpers.protocols import AE, CRS, NRM, PROTOCOL

INFUSION = hours(0)
GRAFT = hours(-70 * 24)  # so that the window ends 31 days after the first infusion
EXPOSED_ANCHORS = Anchors("north", "UTC", hours(-80 * 24), GRAFT, courses=(INFUSION,))


def day(number):
    return hours(24 * number)


def record(text, criterion="astct-2019.crs", **changes_of_content):
    """``1:2 2:3 4:0``: at day 1 grade 2, at day 2 grade 3, over on day 4; ``2:1-4`` an interval."""
    changes, resolved_at = [], None
    for word in text.split():
        day_text, _, grade = word.partition(":")
        low, _, high = grade.partition("-")
        span = Span(Grade(int(low)), Grade(int(high or low)))
        if span.at_most == 0:
            resolved_at = day(float(day_text))
        else:
            changes.append(Change(day(float(day_text)), span, ""))
    worst = Span(max(c.span.at_least for c in changes), max(c.span.at_most for c in changes))
    content = EpisodeContent(
        "P-001", criterion, "", changes[0].at, tuple(changes), worst, worst, resolved_at=resolved_at
    )
    return replace(content, **changes_of_content)


def make_inputs(*records, anchors=EXPOSED_ANCHORS, known_day=30, steroids=()):
    return StandingInputs(
        "P-001",
        anchors,
        {
            name: sorted((r for r in records if r.criterion == name), key=lambda r: r.onset_at)
            for name in {r.criterion for r in records}
        },
        steroids,
        day(known_day),
        matches=lambda criterion, _: criterion.startswith("ctcae"),
        is_laboratory=lambda criterion: criterion.startswith("ctcae") and "fever" not in criterion,
    )


def count_days(event):
    return event and (event.at - INFUSION) / timedelta(days=1)


# what the protocol says; the state of the record; whether there is an event at each end
OUTSIDE_WINDOW = {
    "nothing": (None, {}, False, True),
    "nothing, and a person confirmed it": (None, {"state": EpisodeState.CONFIRMED}, True, True),
    "nothing, and a person rejected it": (None, {"state": EpisodeState.REJECTED}, False, False),
    "that it counts": (True, {}, True, True),
    "that it does not": (False, {"state": EpisodeState.CONFIRMED}, False, False),
}


@pytest.mark.parametrize(
    ("counts", "changes", "at_least", "at_most"), OUTSIDE_WINDOW.values(), ids=OUTSIDE_WINDOW
)
def test_the_protocol_says_whether_signs_outside_the_inducer_window_count(
    counts, changes, at_least, at_most
):
    pattern = replace(CRS.any_of[0], counts_outside_inducer_window=counts)
    inputs = make_inputs(record("20:3", outside_inducer_window=True, **changes))
    standing = find_standing(replace(CRS, any_of=(pattern,)), PROTOCOL, inputs).standing
    assert (standing.event is not None, standing.upper is not None) == (at_least, at_most)


def test_a_term_of_a_set_counts_whatever_caused_it():
    seizure = record("20:3", criterion="ctcae-5.0.fever", outside_inducer_window=True)
    assert find_standing(AE, PROTOCOL, make_inputs(seizure)).standing.event


def test_a_death_of_signs_outside_the_inducer_window_counts_always():
    pattern = replace(CRS.any_of[0], counts_outside_inducer_window=False)
    inputs = make_inputs(record("20:3 21:5", outside_inducer_window=True))
    assert find_standing(replace(CRS, any_of=(pattern,)), PROTOCOL, inputs).standing.event


EVENTS = {  # records of CRS; the day of the event at the lower, the upper end
    "grade 3": ("1:3 4:0", 1, 1),
    "rises to grade 3": ("1:2 2:3 4:0", 2, 2),
    "grade 2 only": ("1:2 4:0", None, None),
    "perhaps grade 3": ("1:2 2:2-4 4:0", None, 2),
    "perhaps, then certain": ("1:2-4 2:3 4:0", 2, 1),
    "there already at the first infusion": ("-1:3 4:0", None, None),
    "there already, and rises further": ("-1:3 2:4 4:0", 2, 2),
    "there already, falls and comes back": ("-1:3 1:2 3:3 4:0", 3, 3),
    "there already, falls less than that and comes back": ("-1:4 1:3 2:4 4:0", None, None),
    "there already, perhaps": ("-1:2-3 1:2 2:2-3 4:0", None, 2),
    "below it at the first infusion": ("-1:2 1:3 4:0", 1, 1),
    "at the very instant of the first infusion": ("0:3 4:0", None, None),
    "at that instant, and rises further": ("0:3 2:4 4:0", 2, 2),
    "at that instant, falls and comes back": ("0:3 1:2 3:3 4:0", 3, 3),
    "on the last day of the window": ("30.5:3", 30.5, 30.5),
    "after the window": ("32:3", None, None),
}


@pytest.mark.parametrize(("text", "lower", "upper"), EVENTS.values(), ids=EVENTS)
def test_the_event_of_a_syndrome(text, lower, upper):
    standing = find_standing(CRS, PROTOCOL, make_inputs(record(text))).standing
    assert (count_days(standing.event), count_days(standing.upper)) == (lower, upper)
    assert standing.confirmed is None


ALT = "ctcae-5.0.alanine-aminotransferase-increased"
LABORATORY = {  # a laboratory record, known until that day; the event, and when it comes due
    "grade 3 for a day": ("1:3 2:0", 30, None, None),
    "grade 3 for three days": ("1:3 4:0", 30, 1, None),
    "grade 3, open, known for a day": ("1:3", 2, None, 4),
    "grade 3, open, known for three days": ("1:3", 4, 1, None),
    "grade 4 at once": ("1:4 1.5:0", 1, 1, None),
    "grade 3, then 4 on the next day": ("1:3 2:4 2.5:0", 2, 1, None),
    "twice a day of grade 3": ("1:3 2:2 3:3 4:0", 30, None, None),
    "a day, then three days": ("1:3 2:2 3:3 7:0", 30, 3, None),
}


@pytest.mark.parametrize(("text", "known_day", "event", "due"), LABORATORY.values(), ids=LABORATORY)
def test_a_laboratory_only_grade_3_counts_after_72_hours(text, known_day, event, due):
    standing = find_standing(AE, PROTOCOL, make_inputs(record(text, ALT), known_day=known_day))
    assert count_days(standing.standing.event) == event
    assert standing.due_at == (None if due is None else day(due))


def test_a_confirmed_laboratory_event_counts_at_once():
    confirmed = record("1:3 2:0", ALT, state=EpisodeState.CONFIRMED)
    standing = find_standing(AE, PROTOCOL, make_inputs(confirmed)).standing
    assert count_days(standing.event) == count_days(standing.confirmed) == 1


def test_a_bedside_event_counts_at_once():
    assert find_standing(
        AE, PROTOCOL, make_inputs(record("1:3 1.2:0", "ctcae-5.0.fever"))
    ).standing.event


def test_hyperglycemia_after_the_protocols_own_steroid_counts_only_when_confirmed():
    high = record("1:4 9:0", "ctcae-5.0.hyperglycemia")
    assert (
        find_standing(AE, PROTOCOL, make_inputs(high, steroids=(day(0.5),))).standing.event is None
    )
    assert (
        count_days(
            find_standing(AE, PROTOCOL, make_inputs(high, steroids=(day(-2),))).standing.event
        )
        == 1
    )
    sure = replace(high, state=EpisodeState.CONFIRMED)
    assert (
        count_days(
            find_standing(AE, PROTOCOL, make_inputs(sure, steroids=(day(0.5),))).standing.event
        )
        == 1
    )


@pytest.mark.parametrize(
    "changes",
    [{"state": EpisodeState.REJECTED}, {"before_exposure": True}, {"linked_to": "astct-2019.crs"}],
    ids=str,
)
def test_what_does_not_count(changes):
    assert (
        find_standing(AE, PROTOCOL, make_inputs(record("1:4", ALT, **changes))).standing.event
        is None
    )


def test_the_earliest_of_several_events_counts_and_the_next_takes_its_place():
    first, second = record("1:3 2:0"), record("5:3 6:0")
    assert count_days(find_standing(CRS, PROTOCOL, make_inputs(first, second)).standing.event) == 1
    assert count_days(find_standing(CRS, PROTOCOL, make_inputs(second)).standing.event) == 5


ENDS = {  # died, relapsed; the NRM event, what competes with it, what competes with CRS
    "alive": (None, None, None, None, None),
    "dead": (9, None, 9, None, "death"),
    "relapsed": (None, 5, None, "relapse", "relapse"),
    "dead after relapse": (9, 5, None, "relapse", "relapse"),
    "dead on the day of relapse": (9, 9, None, "relapse", "death"),
    "dead after the window": (40, None, None, None, "death"),
}


@pytest.mark.parametrize(
    ("death_day", "relapse_day", "nrm", "competes", "with_crs"), ENDS.values(), ids=ENDS
)
def test_death_and_relapse(death_day, relapse_day, nrm, competes, with_crs):
    anchors = replace(
        EXPOSED_ANCHORS,
        died_at=death_day and day(death_day),
        relapsed_at=relapse_day and day(relapse_day),
    )
    standing = find_standing(NRM, PROTOCOL, make_inputs(anchors=anchors)).standing
    assert count_days(standing.event) == nrm
    assert (standing.competing and standing.competing.what) == competes
    crs = find_standing(CRS, PROTOCOL, make_inputs(anchors=anchors)).standing
    assert (crs.competing and crs.competing.what) == with_crs


def test_an_event_after_what_made_it_impossible_does_not_count():
    anchors = replace(EXPOSED_ANCHORS, relapsed_at=day(2))
    standing = find_standing(CRS, PROTOCOL, make_inputs(record("5:3"), anchors=anchors)).standing
    assert (standing.event, standing.competing.what) == (None, "relapse")


def test_who_was_never_infused_or_too_late_is_listed_and_not_counted():
    never_infused = replace(EXPOSED_ANCHORS, courses=())
    infused_late = replace(EXPOSED_ANCHORS, graft_at=hours(-101 * 24))
    for anchors in (never_infused, infused_late):
        assert (
            find_standing(
                CRS, PROTOCOL, make_inputs(record("1:3"), anchors=anchors)
            ).standing.exposed_at
            is None
        )


MIDNIGHT = hours(-8)
LAST_INSTANTS = {  # the first infusion, hours from the end of day 100; whether it is counted
    "in the last minute of day 100": (-1 / 60, True),
    "as day 101 begins": (0, False),
    "in the first minute of day 101": (1 / 60, False),
}


FROM_TRANSPLANT = Window(WindowEdge("transplant"), WindowEdge("transplant", 100))


@pytest.mark.parametrize("window", [CRS.window, FROM_TRANSPLANT])
@pytest.mark.parametrize(("hour", "is_exposed"), LAST_INSTANTS.values(), ids=LAST_INSTANTS)
def test_who_is_first_infused_on_the_last_day_of_the_window_is_counted(hour, is_exposed, window):
    graft_at = MIDNIGHT - timedelta(days=101)  # at 0:00, so day 100 ends at MIDNIGHT
    infusion = MIDNIGHT + timedelta(hours=hour)
    anchors = replace(EXPOSED_ANCHORS, graft_at=graft_at, courses=(infusion,))
    rule = replace(CRS, window=window)
    standing = find_standing(rule, PROTOCOL, make_inputs(anchors=anchors)).standing
    assert standing.exposed_at == (infusion if is_exposed else None)


NO_TRANSPLANT = replace(EXPOSED_ANCHORS, graft_at=None)


def test_a_treated_participant_without_a_transplant_date_is_in_the_upper_count_alone():
    standing = find_standing(
        CRS, PROTOCOL, make_inputs(record("2:3"), anchors=NO_TRANSPLANT)
    ).standing
    assert standing.missing_anchor == "transplant"
    assert (standing.exposed_at, standing.event, standing.confirmed) == (None, None, None)
    assert standing.upper.at == day(2)


def test_an_event_counts_for_certain_once_the_transplant_date_is_known():
    standing = find_standing(CRS, PROTOCOL, make_inputs(record("2:3"))).standing
    assert (standing.missing_anchor, standing.event.at) == ("", day(2))


def test_who_was_not_treated_misses_no_anchor():
    anchors = Anchors(enrolled_at=day(-9))
    standing = find_standing(CRS, PROTOCOL, make_inputs(record("2:3"), anchors=anchors)).standing
    assert standing == Standing("P-001", CRS.id)


def test_a_window_of_courses_needs_no_transplant_date():
    courses = Window(WindowEdge("each_course"), WindowEdge("each_course", 30))
    rule = replace(CRS, window=courses)
    standing = find_standing(
        rule, PROTOCOL, make_inputs(record("2:3"), anchors=NO_TRANSPLANT)
    ).standing
    assert (standing.missing_anchor, standing.event.at) == ("", day(2))


def test_a_rule_out_of_those_transplanted_needs_the_date():
    rule = replace(
        CRS,
        out_of="transplanted",
        window=Window(WindowEdge("enrolment"), WindowEdge("enrolment", 99)),
    )
    assert find_missing_anchor(rule, NO_TRANSPLANT) == "transplant"
    assert find_missing_anchor(rule, EXPOSED_ANCHORS) == ""


def test_a_retracted_or_rejected_event_leaves_its_place_to_the_next():
    first, second = record("1:3 2:0"), record("5:4 6:0")
    rejected_record = replace(first, state=EpisodeState.REJECTED)
    for known_records in ((second,), (rejected_record, second)):
        standing = find_standing(CRS, PROTOCOL, make_inputs(*known_records)).standing
        assert (count_days(standing.event), standing.event.grade) == (5, 4)
        assert (count_days(standing.upper), standing.treatment_day) == (5, 6)


def test_the_confirmed_count_has_its_own_earliest_event():
    first = record("1:3 2:0")
    second = record("5:3 6:0", state=EpisodeState.CONFIRMED)
    standing = find_standing(CRS, PROTOCOL, make_inputs(first, second)).standing
    assert (count_days(standing.event), count_days(standing.confirmed)) == (1, 5)
    assert (standing.event.confirmed, standing.confirmed.confirmed) == (False, True)


COMPETES = {  # day of CRS, what else happened, when; the CRS event, what competes with it
    "death without the event": (None, "died_at", 9, None, "death"),
    "relapse without the event": (None, "relapsed_at", 9, None, "relapse"),
    "second transplant": (None, "second_graft_at", 9, None, "second_transplant"),
    "the event came first": (3, "relapsed_at", 9, 3, None),
    "at the same instant": (9, "died_at", 9, 9, None),
    "the event came later": (12, "relapsed_at", 9, None, "relapse"),
    "before the first infusion": (3, "relapsed_at", -20, 3, None),
    "just before the first infusion": (3, "relapsed_at", -0.01, 3, None),
    "at the very instant of the first infusion": (3, "relapsed_at", 0, None, "relapse"),
}


@pytest.mark.parametrize(
    ("crs", "competing_kind", "when", "event", "competes"), COMPETES.values(), ids=COMPETES
)
def test_the_earlier_of_event_and_competing_event_stands(
    crs, competing_kind, when, event, competes
):
    records = [record(f"{crs}:3", state=EpisodeState.CONFIRMED)] if crs else []
    anchors = replace(EXPOSED_ANCHORS, **{competing_kind: day(when)})
    standing = find_standing(CRS, PROTOCOL, make_inputs(*records, anchors=anchors)).standing
    assert (
        count_days(standing.event)
        == count_days(standing.confirmed)
        == count_days(standing.upper)
        == event
    )
    assert (standing.competing and standing.competing.what) == competes


def test_a_rule_that_counts_confirmed_events_has_competing_ones_of_its_own():
    rule = replace(CRS, status="confirmed")
    anchors = replace(EXPOSED_ANCHORS, relapsed_at=day(2))
    late = record("5:3", state=EpisodeState.CONFIRMED)
    standing = find_standing(
        rule, PROTOCOL, make_inputs(record("1:3 1.5:0"), late, anchors=anchors)
    ).standing
    assert (count_days(standing.event), standing.confirmed) == (1, None)
    assert standing.competing.what == "relapse"


HIGH = "ctcae-5.0.hyperglycemia"
STEROIDS = {  # grade on day 10; the last dose before it; whether it counts unconfirmed
    "48 h after the dose": ("10:4 14:0", 8, None),
    "later": ("10:4 14:0", 7.9, 10),
    "as it is given": ("10:4 14:0", 10, None),
    "before it": ("10:4 14:0", 10.1, 10),
    "grade 3 after the dose": ("10:3 14:0", 9, None),
    "grade 3 without a dose": ("10:3 14:0", -5, 10),
}


@pytest.mark.parametrize(("text", "dose", "event"), STEROIDS.values(), ids=STEROIDS)
def test_hyperglycemia_within_48_hours_of_the_protocols_steroid(text, dose, event):
    standing = find_standing(
        AE, PROTOCOL, make_inputs(record(text, HIGH), steroids=(day(dose),))
    ).standing
    assert count_days(standing.event) == count_days(standing.upper) == event


def test_the_protocols_steroid_explains_hyperglycemia_alone():
    standing = find_standing(
        AE, PROTOCOL, make_inputs(record("10:4", ALT), steroids=(day(9),))
    ).standing
    assert count_days(standing.event) == 10


def test_the_protocols_own_steroid_doses_are_those_it_schedules():
    doses = [
        fact(Administration("dexamethasone", Action.DOSE, scheduled=True), 3),
        fact(Administration("prednisone", Action.START, scheduled=True), 1),
        fact(Administration("dexamethasone", Action.DOSE), 5),  # a clinician's
        fact(Administration("prednisone", Action.STOP, scheduled=True), 7),
        fact(Administration("acetaminophen", Action.DOSE, scheduled=True), 9),
    ]
    assert find_steroid_doses(doses, PROTOCOL) == (hours(1), hours(3))


def test_a_window_from_each_course_counts_in_every_course_and_not_between():
    window = Window(WindowEdge("each_course"), WindowEdge("each_course", 30))
    rule = replace(CRS, window=window)
    anchors = replace(EXPOSED_ANCHORS, courses=(INFUSION, day(60)))
    record_between, later = record("40:3 41:0"), record("70:3 71:0")
    standing = find_standing(
        rule, PROTOCOL, make_inputs(record_between, later, anchors=anchors, known_day=100)
    ).standing
    assert count_days(standing.event) == 70
    assert standing.window_ends_at == day(91) - timedelta(hours=8)  # midnight after day 30


def test_the_onset_may_date_the_event():
    rule = replace(CRS, event_date="onset")
    rises = record("1:2 5:3")
    assert count_days(find_standing(rule, PROTOCOL, make_inputs(rises)).standing.event) == 1
    for early_record in (record("-1:2 5:3"), record("0:2 5:3")):
        inputs = make_inputs(early_record)
        assert find_standing(rule, PROTOCOL, inputs).standing.event is None
        assert count_days(find_standing(CRS, PROTOCOL, inputs).standing.event) == 5


# What a participant is worth: events, complete, effective size (onset curve: 1 - exp(-t / 5 days))
def make_standing(number, last_day, **changes):
    """Participant *number*: infused at day 0, a window of 20 days, last seen on day *last_day*."""
    standing = Standing(f"P-{number:03d}", CRS.id, INFUSION, day(20))
    return ObservedStanding(replace(standing, **changes), day(last_day))


def find_events(observed, as_of=365, rule=CRS):
    decision = decide_rule(PROTOCOL, rule, observed, day(as_of))
    return decision.events, decision.complete, round(decision.ess, 4)


def weight(days):
    """F(t) / F(tau), by hand."""
    return round((1 - math.exp(-days / 5)) / (1 - math.exp(-20 / 5)), 4)


DATA_CUT = day(365)
WORTH = {  # last observed on day, when withdrawn; complete, effective size, a year later
    "to the end of the window": (20, None, 1, 1.0),
    "beyond it": (90, None, 1, 1.0),
    "the site fell silent": (4, None, 0, weight(4)),
    "withdrawn on day 3, data still come": (90, 3, 0, weight(3)),
    "withdrawn after the window": (90, 25, 1, 1.0),
    "nothing after the infusion": (0, None, 0, 0.0),
}


@pytest.mark.parametrize(("last_day", "frozen", "complete", "ess"), WORTH.values(), ids=WORTH)
def test_follow_up_runs_to_the_last_observation_never_to_the_wall_clock(
    last_day, frozen, complete, ess
):
    standing = make_standing(1, last_day, frozen_at=None if frozen is None else day(frozen))
    assert find_events([standing]) == (0, complete, ess)


def test_an_event_or_a_competing_event_counts_in_full_at_once():
    event = CountedEvent(day(2), "a", 3, confirmed=False)
    assert find_events([make_standing(1, 2, event=event)]) == (1, 1, 1.0)
    relapse = CompetingEvent(day(2), "relapse")
    assert find_events([make_standing(1, 2, competing=relapse)]) == (0, 1, 1.0)


@pytest.mark.parametrize(("cut_day", "contributors"), [(19.99, 0), (20, 1), (20.01, 1)])
def test_where_only_complete_windows_count_an_event_does_once_its_window_is_over(
    cut_day, contributors
):
    rule = replace(CRS, policy="complete")
    standing = make_standing(1, 30, event=CountedEvent(day(2), "a", 3, confirmed=False))
    decision = decide_rule(PROTOCOL, rule, [standing], day(cut_day))
    assert (decision.events, len(decision.contributors)) == (contributors, contributors)


def test_what_is_dated_after_the_cut_has_not_happened_yet():
    event = CountedEvent(day(5), "a", 3, confirmed=False)
    assert find_events([make_standing(1, 6, event=event)], as_of=4) == (0, 0, weight(4))


def test_participants_beyond_the_plan_are_listed_and_do_not_count():
    event = CountedEvent(day(2), "a", 3, confirmed=False)
    planned_standings = [make_standing(number, 20) for number in range(40)]
    extra_standing = make_standing(
        40, 20, event=event, exposed_at=hours(1)
    )  # the last to be infused
    decision = decide_rule(PROTOCOL, CRS, [extra_standing, *planned_standings], DATA_CUT)
    assert (decision.events, decision.evaluable, decision.beyond_plan) == (0, 40, 1)
    first = replace(extra_standing, standing=replace(extra_standing.standing, exposed_at=hours(-1)))
    decision = decide_rule(PROTOCOL, CRS, [*planned_standings, first], DATA_CUT)
    assert (decision.events, decision.evaluable, decision.beyond_plan) == (1, 40, 1)
