"""The watch views show what the records say, and each role sees only what it may."""

import json
import re
from collections import Counter
from dataclasses import replace
from random import Random

import psycopg
import pytest
from sqlalchemy import text

from services.alerts.acknowledgement import acknowledge
from services.alerts.plan_notices import load_alert_states
from services.runtime.clock import now_utc
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.safety_rules.domain.facts.ownership import Ownership
from services.store import decisions, journal, records, schema
from services.store.journal import Arrival
from services.store.participants import Participant, add_participants
from services.store.roles import VIEWS
from services.store.session import Database
from services.store.tables import metadata
from services.store.vault import Keys
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.identity_change import Merge, Move
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, lab
from tests.helpers.random_trials import PEOPLE, trial
from tests.helpers.store import message
from tests.helpers.watched_trial import DATE, identifiers
from tests.unit.test_current_facts import KEYED, TABLE, read_keyed_row

pytestmark = [pytest.mark.server, pytest.mark.slow]


def rows(watched_trial, audience, sql):
    with watched_trial.acting_as(audience) as connection:
        return connection.execute(sql).fetchall()


def read_every_view(watched_trial, audience):
    """All that *audience* can read, by view, as text."""
    return {
        view: json.dumps(rows(watched_trial, audience, f"SELECT * FROM watch.{view}"), default=str)  # noqa: S608 - names of VIEWS
        for view in VIEWS[audience]
    }


def facts_by_participant(db):
    """Return every fact, under the name of whom merges and moves make it one of."""
    with db.read() as conn:
        subjects = conn.scalars(text("SELECT subject FROM participant")).all()
        facts = [one.fact for s in subjects for one in journal.load_facts_between(conn, s, 0)]
    ownership = Ownership(subjects)
    ownership.add_facts(facts)
    entries = {}
    for item in facts:
        entries.setdefault(ownership.find_owner(item), []).append(item)
    return entries


def assert_same_facts_stand(url):
    """The view and the rules leave the same; of facts with one content either may stand.

    Movements are not compared: the view leaves them out, as nothing that is shown reads them.
    """
    expected, content = Counter(), {}
    db = Database.open(url)
    facts_of = facts_by_participant(db)
    db.close()
    for participant, facts in facts_of.items():
        content |= {one.id: (one.digest, one.series) for one in facts}
        expected.update(
            (participant, one.observed_at, one.body.kind, content[one.id], one.status not in "IPRS")
            for one in select_current_facts(facts)
            if not isinstance(one.body, Movement)
        )
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT participant, observed_at, kind, id, is_final FROM watch.standing_fact"
        ).fetchall()
    assert expected == Counter(
        (who, at, kind, content[of], final) for who, at, kind, of, final in rows
    )


def test_the_facts_that_stand_are_those_of_the_rules(watched_trial):
    assert_same_facts_stand(watched_trial.url)


def with_nobody(facts):
    """Return facts that merge and move everybody to somebody who takes no part."""
    last = max(one.reported_at for one in facts)
    linking_facts = [(p, body) for p in PEOPLE for body in (Merge(p, "nobody"), Move(p, "nobody"))]
    return [
        replace(fact(body, subject=who), id=f"nobody-{n}", reported_at=last)
        for n, (who, body) in enumerate(linking_facts)
    ]


def keep_facts(facts, people, url, tmp_path):
    """Write *facts*, each of a message of its own, about *people* into the store."""
    arrivals = [
        Arrival(message(f"m{n}", hours(700 + n)), (one,), ()) for n, one in enumerate(facts)
    ]
    db = Database.open(url)
    with db.write() as conn:
        add_participants(conn, [Participant(one, "T", "S1") for one in people], HOUR_ZERO)
        journal.append_arrivals(conn, Keys.load_or_create(tmp_path / "keys"), arrivals)
    db.close()


@pytest.mark.parametrize("seed", [*range(6), 10, 22, 26, 33, 40])
def test_so_they_are_after_any_correction_and_merge(seed, postgres, tmp_path):
    sent_messages = trial(seed)
    sent_messages += with_nobody(sent_messages)
    Random(seed).shuffle(sent_messages)
    keep_facts(sent_messages, PEOPLE, postgres.url, tmp_path)
    assert_same_facts_stand(postgres.url)


def test_moves_reported_together_are_applied_in_the_order_of_their_events(postgres, tmp_path):
    moves = [("P-002", "P-001", 310), ("P-001", "P-002", 312)]
    facts = [
        replace(
            fact(Move(source, target, "V1"), hour, reported_hour=400, subject=who),
            id=f"{who}-{hour}",
        )
        for source, target, hour in moves
        for who in PEOPLE
    ]
    result = lab("alt", "40", 4, "U/L", site="S1", visit="V1", subject="P-001")
    keep_facts([*facts, result], PEOPLE, postgres.url, tmp_path)
    assert_same_facts_stand(postgres.url)
    with psycopg.connect(postgres.url.replace("+psycopg", "")) as connection:
        query = "SELECT participant FROM watch.standing_fact WHERE kind = 'observation'"
        assert connection.execute(query).fetchall() == [("P-002",)]


# rows as in `KEYED`, of what SQL may read otherwise than the rules: numbers, statuses, order
ROWS = {
    "a verified result ranks with a promoted one": (["a 1.0 F 0 1", "b 2.0 V 0 1"], "b"),
    "a verified result and a correction": (["a 1.0 V 0 1", "b 2.0 C 0 1"], "b"),
    "a verified result is final": (["a 1.0 V 0 1 X/1/r"], "a"),
    "a promotion alone": (["a - U 0 1"], ""),
    "one number with other zeros is one content": (
        ["a 5.0 F 0 1 X/1/r", "b 5 F 0 1 X/2/r", "c 6 C 0 2 X/2/s"],
        "c",
    ),
    "two digits of a number come before one": (
        ["a 5 F 0 1 X/10/r", "b 5 F 0 1 X/9/r", "c 6 F 0 1 X/11/r"],
        "a c",
    ),
    "of two, one is promoted": (
        ["a 5 P 0 1 X/1/r", "b 6 P 0 1 X/2/r", "c - U 0 2 X/2/s"],
        "a b",
    ),
    "a message that says both again, with another number for one": (
        ["a 5 F 0 1 X/1/r", "b 6 F 0 1 X/2/r", "c 5 F 0 2 X/1/s", "d 6 F 0 2 X/3/s"],
        "a b d",
    ),
}


def test_the_facts_that_stand_are_those_of_the_rows(postgres, tmp_path):
    cases = [row[:2] for row in (*TABLE.values(), *KEYED.values(), *ROWS.values())]
    people = [f"P-{number:03d}" for number in range(len(cases))]
    facts = [
        replace(item, id=f"{who} {item.id}", subject=who)
        for who, (rows_of_case, _) in zip(people, cases, strict=True)
        for item in map(read_keyed_row, rows_of_case)
    ]
    keep_facts(facts, people, postgres.url, tmp_path)
    digest_of = {item.id: item.digest for item in facts}
    with psycopg.connect(postgres.url.replace("+psycopg", "")) as connection:
        found_ids = connection.execute("SELECT id FROM watch.standing_fact").fetchall()
    for who, (rows_of_case, names) in zip(people, cases, strict=True):
        digests = sorted(digest_of[one] for (one,) in found_ids if one.startswith(f"{who} "))
        expected_digests = sorted(digest_of[f"{who} {name}"] for name in names.split())
        assert digests == expected_digests, rows_of_case
    assert_same_facts_stand(postgres.url)


def test_the_records_are_those_of_the_store(watched_trial):
    with watched_trial.context.db.read() as conn:
        expected = [e for e in records.load_latest_episodes(conn) if not e.retracted]
    found_rows = rows(
        watched_trial,
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
    found_rows = dict(rows(watched_trial, "safety", "SELECT record, because FROM watch.record"))
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
    was_open = rows(watched_trial, "safety", "SELECT alert FROM watch.alert WHERE state = 'open'")
    acknowledge(watched_trial.context.db, min(was_open)[0], "lee", "", now_utc())
    with watched_trial.context.db.read() as conn:
        alert_states = {
            alert.id: state
            for alert, state in load_alert_states(conn, watched_trial.context.study_id)
        }
    found_rows = dict(rows(watched_trial, "safety", "SELECT alert, state FROM watch.alert"))
    assert {
        alert: state.partition(" by ")[0] for alert, state in alert_states.items()
    } == found_rows
    assert set(found_rows.values()) >= {"open", "seen"}
    open_alert_rows = rows(
        watched_trial, "safety", "SELECT left_s, age_s FROM watch.alert WHERE state = 'open'"
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
    found_rows = rows(
        watched_trial,
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


def test_the_chart_has_the_boundary_that_each_size_is_compared_with(watched_trial):
    with watched_trial.context.db.read() as conn:
        last = [
            row.decision
            for row in decisions.load_latest_decisions(conn, watched_trial.context.study_id)
        ]
    for decision in last:
        points = rows(
            watched_trial,
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
            for size, *values in rows(
                watched_trial,
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
    worst = rows(
        watched_trial,
        "safety",
        "SELECT term, max(worst_at_least) FROM watch.record WHERE NOT possible"
        " AND NOT before_exposure AND state <> 'rejected' GROUP BY term",
    )
    weeks = rows(watched_trial, "safety", "SELECT term, followed, worst FROM watch.term_by_week")
    for term, grade in worst:
        assert max(cell or 0 for of, _, cell in weeks if of == term) == grade
    assert all((cell is None) == (followed is None) for _, followed, cell in weeks)
    people = rows(
        watched_trial, "safety", "SELECT participant, worst FROM watch.participant_by_week"
    )
    assert {name for name, cell in people if cell is None}
    assert {name for name, cell in people if cell == 0}


def test_neither_sees_an_identifier(watched_trial):
    names = {name for one in watched_trial.trial.messages for name in identifiers(one.decode())}
    names.discard("")
    assert len(names) > 10
    for audience in VIEWS:
        page_text = "\n".join(read_every_view(watched_trial, audience).values())
        assert not [name for name in names if re.search(rf"\b{re.escape(name)}\b", page_text)]


def test_the_dsmb_sees_no_site_and_no_date(watched_trial):
    sites = {site for (site,) in rows(watched_trial, "safety", "SELECT site FROM watch.person")}
    assert len(sites) > 1
    for view, page in read_every_view(watched_trial, "dsmb").items():
        assert page != "[]", view
        assert not DATE.search(page), view
        assert not [site for site in sites if f'"{site}"' in page], view


def test_every_view_of_the_safety_officer_says_something(watched_trial):
    assert all(shown != "[]" for shown in read_every_view(watched_trial, "safety").values())


@pytest.mark.parametrize("audience", VIEWS)
def test_no_table_and_no_view_of_others_can_be_read(audience, watched_trial):
    with psycopg.connect(watched_trial.url.replace("+psycopg", "")) as connection:
        views = [
            f"watch.{name}"
            for (name,) in connection.execute(
                "SELECT viewname FROM pg_views WHERE schemaname = 'watch'"
            )
            if name not in VIEWS[audience]
        ]
    assert views
    for name in (*views, *(f"public.{table}" for table in metadata.tables)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(watched_trial, audience, f"SELECT 1 FROM {name}")  # noqa: S608 - names of ours


@pytest.mark.parametrize("audience", VIEWS)
def test_nothing_can_be_written(audience, watched_trial):
    with pytest.raises(psycopg.Error):
        rows(watched_trial, audience, "DELETE FROM watch.cut")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(watched_trial, audience, "CREATE TABLE watch.mine (x int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(watched_trial, audience, "CREATE TABLE public.mine (x int)")


def test_the_views_leave_the_tables_as_they_are_declared(postgres):
    db = Database.open(postgres.url)
    with db.write() as conn:
        schema.check_tables(conn)
    db.close()
