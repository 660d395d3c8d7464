"""The watch views show what the records, alerts and decisions say."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.alerts.acknowledgement import acknowledge
from services.alerts.adapters.study_recipients import load_recipients
from services.alerts.alert_states import load_alert_states
from services.alerts.delivery_context import DeliveryContext
from services.alerts.plan_notices import plan_notices
from services.runtime.clock import now_utc
from services.store import decisions, records
from services.vocabulary.decision import describe_prior
from services.vocabulary.person import Actor
from services.vocabulary.protocol import PersonTimeBoundary, TimeStep

FOLDER = Path(__file__).parents[2] / "studies" / "blina-hsct"
pytestmark = [pytest.mark.server, pytest.mark.slow]


def test_the_records_are_those_of_the_store(watched_trial):
    with watched_trial.context.db.read() as conn:
        expected = [e for e in records.load_latest_episodes(conn) if not e.retracted]
    found_rows = watched_trial.read_rows(
        "safety",
        "SELECT record, participant, criterion, worst, now, transplant_day, treatment_day,"
        " onset_at, resolved_at, state, provisional FROM watch.record",
    )
    assert len(expected) > 20
    assert set(found_rows) == {
        (
            e.id,
            e.content.participant,
            e.content.criterion,
            str(e.content.worst),
            str(e.content.current),
            e.content.transplant_day,
            e.content.treatment_day,
            e.content.onset_at,
            e.content.resolved_at,
            e.content.state,
            e.content.provisional,
        )
        for e in expected
    }


def test_the_reason_of_a_record_is_that_of_its_worst_grade(watched_trial):
    found_rows = dict(watched_trial.read_rows("safety", "SELECT record, because FROM watch.record"))
    with watched_trial.context.db.read() as conn:
        for episode in records.load_latest_episodes(conn):
            crossings = [
                change.because
                for change in episode.content.history
                if change.span == episode.content.worst
            ]
            if not episode.retracted and crossings:
                assert found_rows[episode.id] == crossings[0]


def test_an_alert_is_open_until_somebody_has_seen_it(watched_trial):
    was_open = watched_trial.read_rows(
        "safety", "SELECT alert FROM watch.alert WHERE state = 'open'"
    )
    acknowledge(watched_trial.context.db, min(was_open)[0], Actor("lee", "Lee"), "", now_utc())
    study = watched_trial.context
    delivery = DeliveryContext(
        study.db, study.keys, study.study_id, load_recipients(FOLDER), {}, now_utc, "http://x"
    )
    plan_notices(delivery, now_utc())
    with watched_trial.context.db.read() as conn:
        statuses = load_alert_states(
            conn, watched_trial.context.study_id, load_recipients(FOLDER), now_utc()
        )
        alert_states = {one.alert.id: one.state for one in statuses}
    found_rows = dict(watched_trial.read_rows("safety", "SELECT alert, state FROM watch.alert"))
    assert alert_states == found_rows
    assert "open" in found_rows.values()
    open_alert_rows = watched_trial.read_rows(
        "safety", "SELECT left_s, age_s FROM watch.alert WHERE state = 'open'"
    )
    assert open_alert_rows
    # the trial came minutes or, in a long run of tests, some hours ago
    assert all(0 <= age < 86400 and seconds <= 86400 * 3 for seconds, age in open_alert_rows)


def test_the_numbers_of_a_rule_are_those_of_its_last_decision(watched_trial):
    with watched_trial.context.db.read() as conn:
        last = [
            row.decision
            for row in decisions.load_latest_decisions(conn, watched_trial.context.study_id)
        ]
    found_rows = watched_trial.read_rows(
        "dsmb",
        "SELECT rule, signal, events, confirmed, treated, pending, effective_size::float, reached,"
        " predictive::float FROM watch.dsmb_rule",
    )
    assert set(found_rows) == {
        (d.rule, d.signal, d.events, d.confirmed, d.evaluable, d.pending, d.ess,
         d.crossed_since is not None, d.predictive)
        for d in last
    }  # fmt: skip
    assert any(d.pending for d in last)
    assert any(d.crossed_since for d in last)


def test_the_prior_and_what_is_left_from_new_participants_are_those_of_the_decision(watched_trial):
    with watched_trial.context.db.read() as conn:
        last = [
            row.decision
            for row in decisions.load_latest_decisions(conn, watched_trial.context.study_id)
        ]
    found_rows = watched_trial.read_rows(
        "dsmb", "SELECT rule, events_left_from_new, prior, looks FROM watch.dsmb_rule"
    )
    assert set(found_rows) == {
        (d.rule, d.events_left_from_new, describe_prior(d), "every participant") for d in last
    }
    assert {d.prior for d in last} >= {(0.1, 1.9), (0.6, 1.4)}


def test_a_rule_of_person_time_has_its_boundary_looks_and_prior(watched_trial):
    boundary = PersonTimeBoundary(
        "expected_events", 100.0, 3.2, (TimeStep(2, 0.25), TimeStep(3, 0.75))
    )
    db, study = watched_trial.context.db, watched_trial.context.study_id
    with db.write() as conn:
        last = decisions.load_latest_decisions(conn, study)[0].decision
        decision = replace(
            last, rule="T1", steps=(), looks=(), person_time=boundary, ess=0.5, boundary=3,
            prior=(1.5, 2.25), events_left_from_new=None,
        )  # fmt: skip
        decisions.append_decision(conn, decision, now_utc())
        of_rule = "FROM watch.{} WHERE rule = 'T1'"
        numbers = conn.exec_driver_sql(
            "SELECT boundary, looks, prior, events_left_from_new " + of_rule.format("dsmb_rule")
        ).all()
        steps = conn.exec_driver_sql(
            "SELECT size::float, boundary "
            + of_rule.format("dsmb_boundary")
            + " AND boundary IS NOT NULL ORDER BY size"
        ).all()
        conn.rollback()
    assert numbers == [(3, "every event", "Gamma(1.5, 2.25)", None)]
    assert steps == [(0.0, 2), (0.25, 3), (0.75, 3)]


def test_the_chart_has_the_boundary_that_each_size_is_compared_with(watched_trial):
    with watched_trial.context.db.read() as conn:
        last = [
            row.decision
            for row in decisions.load_latest_decisions(conn, watched_trial.context.study_id)
        ]
    for decision in last:
        points = watched_trial.read_rows(
            "dsmb",
            "SELECT size, boundary FROM watch.dsmb_boundary WHERE boundary IS NOT NULL"  # noqa: S608 - a rule's id
            f" AND rule = '{decision.rule}' ORDER BY size",
        )
        for step in decision.steps:
            for size in range(step.first, step.last + 1):
                lower_boundaries = [boundary for at, boundary in points if at < size]
                assert lower_boundaries[-1] == step.events
        assert points[-1] == (decision.n, decision.steps[-1].events)


def test_the_chart_has_the_path_and_what_is_pending(watched_trial):
    with watched_trial.context.db.read() as conn:
        last = [
            row.decision
            for row in decisions.load_latest_decisions(conn, watched_trial.context.study_id)
        ]
    for decision in last:
        points = {
            round(float(size), 9): values
            for size, *values in watched_trial.read_rows(
                "dsmb",
                "SELECT size, events, pending_none, pending_all, now FROM watch.dsmb_boundary"  # noqa: S608 - a rule's id
                f" WHERE rule = '{decision.rule}'",
            )
        }
        assert points[round(decision.ess, 9)] == [decision.events] * 4
        for point in decision.path:
            assert points[round(point.ess, 9)][0] == point.events
        if decision.pending:
            final = round(max(decision.complete + decision.pending, decision.ess), 9)
            assert points[final][1:3] == [decision.events, decision.events + decision.pending]


def test_a_week_shows_the_worst_grade_and_nobody_followed_is_no_zero(watched_trial):
    worst = watched_trial.read_rows(
        "safety",
        "SELECT term, max(worst_at_least) FROM watch.record WHERE NOT possible"
        " AND NOT before_exposure AND state <> 'rejected' GROUP BY term",
    )
    weeks = watched_trial.read_rows(
        "safety", "SELECT term, followed, worst FROM watch.term_by_week"
    )
    for term, grade in worst:
        assert max(cell or 0 for of, _, cell in weeks if of == term) == grade
    assert all((cell is None) == (followed is None) for _, followed, cell in weeks)
    people = watched_trial.read_rows(
        "safety", "SELECT participant, worst FROM watch.participant_by_week"
    )
    assert {name for name, cell in people if cell is None}
    assert {name for name, cell in people if cell == 0}
