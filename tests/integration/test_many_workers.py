"""Workers beside each other: hints that say less than is known, and steps that are overtaken."""

import pytest

from services.runtime.clock import now_utc
from services.runtime.kafka_records import write_facts_record
from services.runtime.wire import write_fact
from services.safety_rules.application import fold_participants
from services.safety_rules.application.decide_study import (
    decide_rules,
    extract_news_fields,
    run_study_step,
)
from services.safety_rules.workers.hint_worker import HintWorker
from services.simulator.trial import simulate_trial
from services.store import alerts, decisions, journal, participants, states
from services.vocabulary.alert import AlertKind
from tests.helpers.installation import Installation

TRIAL = simulate_trial(2, seed=5, days=3)


@pytest.fixture
def installation(tmp_path):
    """An installation that holds a feed of which nothing is graded."""
    installation = Installation(tmp_path)
    installation.enrol(TRIAL)
    installation.accept(TRIAL.messages, at_once=1)
    return installation


def hints(installation, upto_seq):
    """Records as the relay packs them, with each participant's facts up to a seq."""
    study = installation.context.study_id
    with installation.db.read() as conn:
        for subject in sorted(set(participants.load_participants(conn, study)) - {study}):
            runs = [
                f'{{"message": "{one.message}", "received_at": "{one.received_at.isoformat()}",'
                f' "facts": [[{one.seq}, {write_fact(one.fact).decode()}]]}}'
                for one in journal.load_facts_between(conn, subject, 0, upto_seq)
            ]
            yield subject, write_facts_record(study, runs)


def hint_worker(installation):
    return HintWorker(installation.db, installation.context.study.rules, now_utc, by_message=True)


def test_who_is_overtaken_is_folded_alone_and_from_the_journal(installation, monkeypatch):
    """A hint may carry less than is known by now, again and again."""
    command = []

    def overtaken_when_carried(db, rules, cache, subjects, arguments):
        command.append(subjects)
        if any(arguments.held_entries.values()):
            return fold_participants.FoldResult(0, (), (), overtaken=True)
        return fold_participants.fold(db, rules, cache, subjects, arguments)

    monkeypatch.setattr("services.safety_rules.workers.hint_worker.fold", overtaken_when_carried)
    records = list(hints(installation, upto_seq=20))
    hint_worker(installation).fold(records)
    subjects = sorted(subject for subject, _ in records)
    assert command == [subjects, *([subject] for subject in subjects)]
    with installation.db.read() as conn:
        assert journal.count_unhandled(conn) == 0


def test_hints_without_facts_or_twice_or_about_nobody_change_nothing_more(installation):
    worker = hint_worker(installation)
    read_every_view = list(hints(installation, upto_seq=1000))
    worker.fold(read_every_view)
    worker.decide()
    records = installation.canonical()
    nobodys = write_facts_record(installation.context.study_id, [])
    worker.fold([*read_every_view, ("nobody", nobodys), ("", nobodys), ("\ufffd", b"\xff")])
    assert installation.canonical() == records
    assert installation.find_mismatches() == []


def test_a_hint_without_its_facts_beside_others_lets_the_journal_be_read(installation):
    study = installation.context.study_id
    (participant, batch), *_ = hints(installation, upto_seq=20)
    too_long = '{"message": "m", "received_at": "2026-03-01T08:00:00+00:00", "facts": []}'
    hint_worker(installation).fold(
        [(participant, batch), (participant, write_facts_record(study, [too_long]))]
    )
    with installation.db.read() as conn:
        assert participant not in journal.find_lagging_subjects(conn, 100)


def test_a_decision_that_another_worker_overtook_is_made_of_what_is_known_now(
    installation, monkeypatch
):
    hint_worker(installation).fold(list(hints(installation, upto_seq=1000)))
    rules, db = installation.context.study.rules, installation.db
    load = decisions.load_study_state
    other_reports = [1]

    def overtaken(conn, study):
        state = load(conn, study)
        if other_reports and other_reports.pop():
            with db.write() as neighbour:  # somebody who had seen nothing of it yet
                assert decisions.advance_study(neighbour, load(neighbour, study), {})
        return state

    monkeypatch.setattr(decisions, "load_study_state", overtaken)
    run_study_step(db, rules, now_utc())
    with db.read() as conn:
        stored_rows = decisions.load_latest_decisions(conn, rules.protocol.study)
        decisions_by_rule = {row.decision.rule: row.decision for row in stored_rows}
        assert [
            one.rule
            for one in decide_rules(conn, rules)
            if extract_news_fields(one) != extract_news_fields(decisions_by_rule[one.rule])
        ] == []


def test_who_was_moved_on_by_another_worker_is_not_set_aside(installation, monkeypatch):
    """A step that fails on what it saw says nothing about a state that it did not see."""
    real = fold_participants.fold_step

    def fails_too_late(*_arguments):
        monkeypatch.setattr(fold_participants, "fold_step", real)
        hint_worker(installation).fold_from_journal(["P-001"])
        raise ZeroDivisionError

    monkeypatch.setattr(fold_participants, "fold_step", fails_too_late)
    hint_worker(installation).fold_from_journal(["P-001"])
    with installation.db.read() as conn:
        assert states.load_quarantined(conn) == []
        assert [one for one in alerts.load_alerts(conn) if one.kind is AlertKind.QUARANTINE] == []
