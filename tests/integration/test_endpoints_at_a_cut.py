"""Endpoints from the journal: what was known at a cut, whatever came afterwards."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.reports.endpoints import NoEndpointsError, report_endpoints
from services.store.journal import Arrival, append_arrivals
from services.store.participants import Participant, add_participants
from services.store.records import append_episodes
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    ChronicGvhd,
    Death,
    Enrolment,
    GvhdStage,
    Relapse,
    Transplant,
    Withdrawal,
)
from services.vocabulary.episode import Change, Episode, EpisodeContent, EpisodeState, Span
from services.vocabulary.fact import Status
from services.vocabulary.grade import Grade
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab
from tests.helpers.store import message, new_database

RULES = load_rules(Path(__file__).parents[2] / "studies" / "blina-hsct").rules
STUDY = RULES.protocol.study
INFUSION = Administration("blinatumomab", Action.START, Quantity(Decimal(8), "ug/d"))


def day(number):
    """Transplant day *number*: the graft is at ``HOUR_ZERO``."""
    return HOUR_ZERO + timedelta(days=number)


@pytest.fixture
def store(tmp_path):
    """Lets facts be known: ``known_at`` is a transplant day, as that of the fact."""
    db, keys = new_database(tmp_path)

    class Store:
        def knows(self, instant, *facts):
            with db.write() as conn:
                batch = [Participant(f.subject, STUDY, "S1") for f in facts]
                add_participants(conn, batch, HOUR_ZERO)
                name = f"m{instant}-{'-'.join(f.id for f in facts)}"
                append_arrivals(conn, keys, [Arrival(message(name, day(instant)), facts)])

        def records(self, *episodes):
            with db.write() as conn:
                for item in episodes:
                    append_episodes(conn, [item])

        def says(self, as_of=None, rules=RULES):
            with db.read() as conn:
                return report_endpoints(conn, rules, None if as_of is None else day(as_of))

    return Store()


# Day 101 begins in Berlin at 22:00 UTC, the graft was at 08:00 UTC
WINDOW_ENDS = timedelta(days=100, hours=14) / timedelta(days=1)


def treated_participant(name, infusion=70):
    return (
        fact(Enrolment("rhein"), day(-10), subject=name, name=f"{name}-e"),
        fact(Transplant(), day(0), subject=name, name=f"{name}-t"),
        fact(INFUSION, day(infusion), subject=name, name=f"{name}-i"),
    )


def curve_of(results, endpoint, clock="transplant"):
    return next(c for c in results.curves if (c.id, c.clock) == (endpoint, clock))


def test_before_anything_is_known_there_is_nothing_to_say(store):
    assert store.says() is None
    store.knows(70, *treated_participant("P-1"))
    assert store.says(as_of=69) is None


def test_a_protocol_without_endpoints_says_so(store):
    rules = replace(RULES, protocol=replace(RULES.protocol, endpoints=None))
    with pytest.raises(NoEndpointsError, match="names no endpoints"):
        store.says(rules=rules)


def test_of_nobody_treated_there_are_curves_without_points(store):
    store.knows(10, *treated_participant("P-1")[:2])
    results = store.says()
    assert (results.enrolled, results.treated, results.data_to) == (1, 0, None)
    assert {curve.participants for curve in results.curves} == {0}
    assert results.adverse_events.rows[0].any_grade.estimate is None


@pytest.mark.part11("4.2.6")
def test_what_came_later_changes_nothing_that_was_known_then(store):
    store.knows(70, *treated_participant("P-1"), *treated_participant("P-2"))
    store.knows(90, lab("alt", "30", day(90), "U/L", subject="P-1", name="a1"))
    store.knows(95, fact(GvhdStage(3, 0, 0, 0), day(88), subject="P-2", name="g1"))
    earlier_state = store.says(as_of=96)
    store.knows(97, fact(Death(), day(80), subject="P-1", name="d1"))  # long before it was known
    store.knows(98, fact(Relapse(), day(75), subject="P-2", name="r1"))
    assert store.says(as_of=96) == earlier_state
    assert curve_of(earlier_state, "agvhd-2-4").events == 1
    clock_time = store.says()
    assert curve_of(clock_time, "nrm").points[-1].day == 80
    assert curve_of(clock_time, "agvhd-2-4").competing["relapse"] == 1
    assert clock_time.as_of == day(98)


def test_follow_up_ends_with_the_last_observation_not_with_the_cut(store):
    store.knows(70, *treated_participant("P-1"), *treated_participant("P-2"))
    store.knows(90, lab("alt", "30", day(90), "U/L", subject="P-1", name="a1"))
    assert curve_of(store.says(as_of=300), "os").spans == ((70, 70), (70, 90))
    assert store.says(as_of=300).data_to == day(90)


def test_what_is_dated_after_the_cut_has_not_happened(store):
    store.knows(70, *treated_participant("P-1"), fact(Death(), day(100), subject="P-1", name="d"))
    results = curve_of(store.says(as_of=80), "os")
    assert (results.events, results.spans) == (0, ((70, 80),))


def test_who_will_be_treated_after_the_cut_is_not_treated(store):
    store.knows(60, *treated_participant("P-1", infusion=75))
    assert store.says(as_of=70).treated == 0
    assert store.says(as_of=75).treated == 1


def test_follow_up_ends_with_withdrawal(store):
    store.knows(70, *treated_participant("P-1"))
    store.knows(95, fact(Withdrawal(), day(85), subject="P-1", name="w"))
    store.knows(96, fact(Death(), day(96), subject="P-1", name="d"))
    results = curve_of(store.says(), "os")
    assert (results.events, results.spans) == (0, ((70, 85),))


def test_a_retracted_fact_is_no_event(store):
    store.knows(70, *treated_participant("P-1"))
    sent_messages = fact(GvhdStage(0, 2, 0, 0), day(80), subject="P-1", name="g1", series="s")
    store.knows(81, sent_messages)
    store.knows(
        82,
        structs.replace(
            sent_messages, id="g2", status=Status.DELETED, reported_at=day(82), digest="other"
        ),
    )
    assert curve_of(store.says(as_of=81), "agvhd-3-4").events == 1
    assert curve_of(store.says(), "agvhd-3-4").events == 0


def test_merged_participants_are_one(store):
    store.knows(70, *treated_participant("P-1"))
    store.knows(80, fact(ChronicGvhd("severe"), day(79), subject="P-2", name="c"))
    merge = Merge(gone="P-2", survivor="P-1")
    earlier = store.says()
    store.knows(
        90, *(fact(merge, day(90), subject=name, name=f"m-{name}") for name in ("P-1", "P-2"))
    )
    assert curve_of(earlier, "cgvhd-moderate").events == 0
    clock_time = store.says()
    assert clock_time.treated == 1
    assert curve_of(clock_time, "cgvhd-moderate").points[0].day == 79


def test_what_was_given_on_a_visit_of_somebody_else_is_the_others(store):
    enrolled, graft, infusion = treated_participant("P-1")
    store.knows(70, enrolled, graft, structs.replace(infusion, visit="V"))
    store.knows(70, *treated_participant("P-2")[:2])
    assert store.says().treated == 1
    move = Move("P-1", "P-2", "V")
    moves = [fact(move, day(90), subject=name, name=f"m-{name}") for name in ("P-1", "P-2")]
    store.knows(90, *moves)
    assert store.says().treated == 1
    store.knows(95, fact(Death(), day(94), subject="P-2", name="died"))
    assert curve_of(store.says(), "os").events == 1  # it is P-2 who was treated


def test_another_study_is_not_counted(store, tmp_path):
    store.knows(70, *treated_participant("P-1"))
    db, keys = new_database(tmp_path)
    with db.write() as conn:
        add_participants(conn, [Participant("X-1", "OTHER", "S1")], HOUR_ZERO)
        append_arrivals(conn, keys, [Arrival(message("x", day(71)), treated_participant("X-1"))])
    assert store.says().treated == 1


def episode(
    participant, criterion, term, *changes, state=EpisodeState.SUSPECTED, known_on=80, **counts
):
    """``(day, least, most)`` of each change."""
    history = tuple(Change(day(at), Span(Grade(low), Grade(high)), "") for at, low, high in changes)
    worst = Span(max(c.span.at_least for c in history), max(c.span.at_most for c in history))
    content = EpisodeContent(
        participant,
        f"ctcae-5.0.{criterion}",
        term,
        history[0].at,
        history,
        worst,
        worst,
        state=state,
        **counts,
    )
    return Episode(f"{participant}{term}{changes}", 1, content, 1, day(known_on), "rules", "new")


def test_adverse_events_by_term_and_worst_grade_in_the_window(store):
    store.knows(
        70,
        *treated_participant("P-1"),
        *treated_participant("P-2"),
        *treated_participant("P-3"),
        *treated_participant("P-4", 105),
    )
    store.knows(110, lab("alt", "30", day(110), "U/L", subject="P-1", name="a1"))
    store.records(
        episode("P-1", "nausea", "Nausea", (75, 2, 2), (99, 3, 3), (102, 4, 4)),  # 4 is too late
        episode("P-1", "dizziness", "Dizziness", (99, 1, 1), (WINDOW_ENDS, 3, 3)),
        episode("P-1", "vomiting", "Vomiting", (75, 1, 3)),
        episode("P-2", "nausea", "Nausea", (80, 1, 1)),
        episode("P-2", "nausea", "Nausea", (90, 2, 2)),
        episode("P-2", "anemia", "Anemia", (80, 4, 4)),  # hematologic
        episode("P-3", "nausea", "Nausea", (101.5, 3, 3)),  # after the window
        episode("P-3", "vomiting", "Vomiting", (80, 3, 3), state=EpisodeState.REJECTED),
        episode("P-3", "fever", "Fever", (80, 3, 3), linked_to="astct-2019.crs"),
        episode("P-3", "tremor", "Tremor", (60, 3, 3), before_exposure=True),
        episode("P-3", "lethargy", "Lethargy", (80, 0, 3), possible=True),
        episode("P-4", "nausea", "Nausea", (106, 3, 3)),
        episode("P-3", "chills", "Chills", (80, 2, 2), known_on=120),
    )
    results = store.says(as_of=115).adverse_events
    assert (results.evaluable, results.followed, results.outside) == (3, 1, 1)
    assert [(row.term, row.by_grade) for row in results.rows] == [
        ("Any non-hematologic adverse event", (0, 1, 1, 0, 0)),
        ("Nausea", (0, 1, 1, 0, 0)),
        ("Dizziness", (1, 0, 0, 0, 0)),
        ("Vomiting", (1, 0, 0, 0, 0)),
    ]
    nausea, vomiting_row = results.rows[1], results.rows[3]
    assert (nausea.any_grade.count, nausea.any_grade.of, nausea.severe.count) == (2, 3, 1)
    assert nausea.severe.estimate.high == pytest.approx(0.905701, abs=5e-7)  # 1 of 3
    assert (vomiting_row.severe.count, vomiting_row.severe_at_most) == (0, 1)
    later = store.says(as_of=121).adverse_events
    assert [row.term for row in later.rows[1:]] == ["Nausea", "Chills", "Dizziness", "Vomiting"]
