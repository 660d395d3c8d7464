"""Which events count for a stopping rule, and from when: told in days after the first infusion."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.safety_rules.domain.anchors import Anchors
from services.safety_rules.domain.standings import Knowledge, outlook
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from tests.protocols import AE, CRS, NRM, PROTOCOL
from tests.reading import hours

INFUSION = hours(0)
GRAFT = hours(-70 * 24)  # so that the window ends 31 days after the first infusion
TREATED = Anchors("north", "UTC", hours(-80 * 24), GRAFT, courses=(INFUSION,))


def day(number):
    return hours(24 * number)


def record(text, criterion="astct-2019.crs", **more):
    """``1:2 2:3 4:0``: at day 1 grade 2, at day 2 grade 3, over on day 4; ``2:1-4`` an interval."""
    changes, resolved = [], None
    for word in text.split():
        at, _, grade = word.partition(":")
        low, _, high = grade.partition("-")
        span = Span(Grade(int(low)), Grade(int(high or low)))
        if span.at_most == 0:
            resolved = day(float(at))
        else:
            changes.append(Change(day(float(at)), span, ""))
    worst = Span(max(c.span.at_least for c in changes), max(c.span.at_most for c in changes))
    content = EpisodeContent(
        "P-001", criterion, "", changes[0].at, tuple(changes), worst, worst, resolved_at=resolved
    )
    return replace(content, **more)


def known(*records, anchors=TREATED, until=30, steroids=()):
    return Knowledge(
        "P-001",
        anchors,
        records,
        steroids,
        day(until),
        matches=lambda criterion, _: criterion.startswith("ctcae"),
        is_laboratory=lambda criterion: criterion.startswith("ctcae") and "fever" not in criterion,
    )


def at(counted):
    return counted and (counted.at - INFUSION) / timedelta(days=1)


EVENTS = {  # records of CRS; the day of the event at the lower, the upper end
    "grade 3": ("1:3 4:0", 1, 1),
    "rises to grade 3": ("1:2 2:3 4:0", 2, 2),
    "grade 2 only": ("1:2 4:0", None, None),
    "perhaps grade 3": ("1:2 2:2-4 4:0", None, 2),
    "perhaps, then certain": ("1:2-4 2:3 4:0", 2, 1),
    "there already at the first infusion": ("-1:3 4:0", None, None),
    "there already, and rises further": ("-1:3 2:4 4:0", 2, 2),
    "there already, falls and comes back": ("-1:3 1:2 3:3 4:0", 3, 3),
    "at the very instant of the first infusion": ("0:3 4:0", None, None),
    "on the last day of the window": ("30.5:3", 30.5, 30.5),
    "after the window": ("32:3", None, None),
}


@pytest.mark.parametrize(("text", "lower", "upper"), EVENTS.values(), ids=EVENTS)
def test_the_event_of_a_syndrome(text, lower, upper):
    standing = outlook(CRS, PROTOCOL, known(record(text))).standing
    assert (at(standing.event), at(standing.upper)) == (lower, upper)
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


@pytest.mark.parametrize(("text", "until", "event", "due"), LABORATORY.values(), ids=LABORATORY)
def test_a_laboratory_only_grade_3_counts_after_72_hours(text, until, event, due):
    found = outlook(AE, PROTOCOL, known(record(text, ALT), until=until))
    assert at(found.standing.event) == event
    assert found.due_at == (None if due is None else day(due))


def test_a_confirmed_laboratory_event_counts_at_once():
    confirmed = record("1:3 2:0", ALT, state=EpisodeState.CONFIRMED)
    standing = outlook(AE, PROTOCOL, known(confirmed)).standing
    assert at(standing.event) == at(standing.confirmed) == 1


def test_a_bedside_event_counts_at_once():
    assert outlook(AE, PROTOCOL, known(record("1:3 1.2:0", "ctcae-5.0.fever"))).standing.event


def test_hyperglycemia_after_the_protocols_own_steroid_counts_only_when_confirmed():
    high = record("1:4 9:0", "ctcae-5.0.hyperglycemia")
    assert outlook(AE, PROTOCOL, known(high, steroids=(day(0.5),))).standing.event is None
    assert at(outlook(AE, PROTOCOL, known(high, steroids=(day(-2),))).standing.event) == 1
    sure = replace(high, state=EpisodeState.CONFIRMED)
    assert at(outlook(AE, PROTOCOL, known(sure, steroids=(day(0.5),))).standing.event) == 1


@pytest.mark.parametrize(
    "more",
    [{"state": EpisodeState.REJECTED}, {"before_exposure": True}, {"linked_to": "astct-2019.crs"}],
    ids=str,
)
def test_what_does_not_count(more):
    assert outlook(AE, PROTOCOL, known(record("1:4", ALT, **more))).standing.event is None


def test_the_earliest_of_several_events_counts_and_the_next_takes_its_place():
    first, second = record("1:3 2:0"), record("5:3 6:0")
    assert at(outlook(CRS, PROTOCOL, known(first, second)).standing.event) == 1
    assert at(outlook(CRS, PROTOCOL, known(second)).standing.event) == 5


ENDS = {  # died, relapsed; the NRM event, what competes with it, what competes with CRS
    "alive": (None, None, None, None, None),
    "dead": (9, None, 9, None, "death"),
    "relapsed": (None, 5, None, "relapse", "relapse"),
    "dead after relapse": (9, 5, None, "relapse", "relapse"),
    "dead on the day of relapse": (9, 9, None, "relapse", "death"),
    "dead after the window": (40, None, None, None, "death"),
}


@pytest.mark.parametrize(
    ("died", "relapsed", "nrm", "competes", "with_crs"), ENDS.values(), ids=ENDS
)
def test_death_and_relapse(died, relapsed, nrm, competes, with_crs):
    anchors = replace(TREATED, died_at=died and day(died), relapsed_at=relapsed and day(relapsed))
    standing = outlook(NRM, PROTOCOL, known(anchors=anchors)).standing
    assert at(standing.event) == nrm
    assert (standing.competing and standing.competing.what) == competes
    crs = outlook(CRS, PROTOCOL, known(anchors=anchors)).standing
    assert (crs.competing and crs.competing.what) == with_crs


def test_an_event_after_what_made_it_impossible_does_not_count():
    anchors = replace(TREATED, relapsed_at=day(2))
    standing = outlook(CRS, PROTOCOL, known(record("5:3"), anchors=anchors)).standing
    assert (standing.event, standing.competing.what) == (None, "relapse")


def test_who_was_never_infused_or_too_late_is_listed_and_not_counted():
    never = replace(TREATED, courses=())
    late = replace(TREATED, graft_at=hours(-101 * 24))
    for anchors in (never, late):
        assert (
            outlook(CRS, PROTOCOL, known(record("1:3"), anchors=anchors)).standing.exposed_at
            is None
        )
