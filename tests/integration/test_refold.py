"""``aegis refold``: nothing is graded anew in silence; what would change is shown first."""

from dataclasses import replace

import pytest
from msgspec import structs

from services.cli.main import main
from services.runtime import topic_names
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import decide_rules, run_study_step
from services.safety_rules.application.past_crossings import load_first_crossings
from services.safety_rules.reports import refold, verify
from services.safety_rules.workers import journal_worker
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.sweeper import Sweeper
from services.store import outbox, records, states
from services.store.decisions import load_latest_decisions
from services.store.session import Database
from services.vocabulary.clinical_fact import Relapse
from services.vocabulary.judgement import Assessment
from services.vocabulary.protocol_event import EventPattern
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.people import sign_in
from tests.helpers.timeline import FOLDER, STUDY, Timeline

pytestmark = pytest.mark.slow

RULE = "BLINA-HSCT.S4"  # non-relapse mortality: 2 of 2 to 4


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    timeline = Timeline(tmp_path, advises=True)
    timeline.treat("P-001", "P-002")
    timeline.say(lab("potassium", "6.5", 2, "mmol/L", lln="3.5", uln="5.0"))
    timeline.say(fact(Assessment("ctcae-5.0.tremor", 3, "a clinician"), 3, subject="P-002"))
    yield timeline
    timeline.close()


def older(trial):
    """Grade what is there by rules with one window only, as a version before this one."""
    clock_time = trial.rules.rules
    windows = {"course-30": clock_time.protocol.windows["course-30"]}
    rules = tuple(one for one in clock_time.protocol.rules if one.window == "course-30")
    protocol = replace(
        clock_time.protocol, windows=windows, rules=rules or clock_time.protocol.rules
    )
    trial.rules.rules = replace(clock_time, protocol=protocol, version="older")
    trial.advance_to(4)
    trial.rules.rules = clock_time
    trial.rules.cache = Cache()


def versions(trial):
    with trial.db.read() as conn:
        return records.load_episode_versions(conn)


def test_the_preview_shows_what_would_change_and_writes_nothing(trial, capsys):
    older(trial)
    earlier = versions(trial)
    trial.advance_to(5)
    assert main(["refold"]) == 1
    output = capsys.readouterr().out
    assert "2 participants were graded by other rules than those that run" in output
    assert "P-001" in output
    assert "same grades and times, other details" in output
    assert "2 records would change, 4 would not" in output
    assert "BLINA-HSCT.S3" in output
    assert "nothing is written" in output
    assert versions(trial) == earlier


def test_verify_says_what_it_leaves_to_the_other_rules(trial, capsys):
    older(trial)
    main(["verify"])
    assert "2 participants were graded by other rules: see `aegis refold`" in (
        capsys.readouterr().out
    )
    with trial.db.read() as conn:
        results = list(verify.find_all_mismatches(conn, trial.rules.rules, history=True))
    assert not [one for one in results if one.participant.startswith("P-")]


def test_verify_says_which_rules_have_spoken_under_another_protocol_only(trial, capsys):
    clock_time = trial.rules.rules
    earlier = replace(clock_time.protocol, version="0")
    trial.rules.rules = replace(clock_time, protocol=earlier)
    trial.advance_to(4)
    text = f"{len(earlier.rules)} rules last spoke under another protocol"
    main(["verify"])
    notices = capsys.readouterr().out
    assert text in notices
    assert "the last decision is not what the standings say" not in notices
    trial.rules.rules = clock_time
    trial.say(lab("potassium", "6.6", 6, "mmol/L", lln="3.5", uln="5.0"))
    trial.advance_to(7)
    main(["verify"])
    assert text not in capsys.readouterr().out


@pytest.mark.part11("4.2.4")
def test_a_reason_appends_versions_and_stays_in_the_audit_trail(trial, tmp_path, capsys):
    older(trial)
    earlier = versions(trial)
    sign_in(tmp_path, "anna", db=trial.db)
    assert main(["refold", "--reason", "windows of amendment 2"]) == 0
    added_versions = [one for one in versions(trial) if one not in earlier]
    version = trial.rules.rules.version
    assert {one.content.participant for one in added_versions} == {"P-001", "P-002"}
    assert {(one.version, one.rules_version, one.cause) for one in added_versions} == {
        (2, version, "changed (other rules)")
    }
    assert [one for one in versions(trial) if one in earlier] == earlier
    with trial.db.read() as conn:
        trail = conn.exec_driver_sql(
            "SELECT key, actor, detail FROM audit WHERE place = 'participant_state'"
            " AND actor <> 'service' ORDER BY key"
        ).fetchall()
    assert [tuple(row) for row in trail] == [
        ("P-001", "anna", "refold: windows of amendment 2"),
        ("P-002", "anna", "refold: windows of amendment 2"),
    ]
    capsys.readouterr()
    assert main(["refold"]) == 0
    assert f"every record is of the rules that run, {version}" in capsys.readouterr().out
    assert main(["refold", "--reason", "again"]) == 0
    assert "0 participants are to be graded" in capsys.readouterr().out


def test_a_reason_has_to_be_given_in_words(trial, capsys):
    older(trial)
    with pytest.raises(SystemExit) as refusal:
        main(["refold", "--reason", " "])
    assert refusal.value.code == 2
    assert "--reason: say why" in capsys.readouterr().err


def test_new_facts_are_graded_by_the_rules_that_run(trial):
    older(trial)
    earlier = versions(trial)
    trial.say(lab("potassium", "6.6", 6, "mmol/L", lln="3.5", uln="5.0"))
    trial.advance_to(7)
    assert {one.content.participant for one in versions(trial) if one not in earlier} == {"P-001"}


def test_workers_beside_each_other_are_told_and_told_again(trial):
    older(trial)
    db = Database.open(trial.db.url, has_relay=True)
    rules = trial.rules.rules
    with db.write() as conn:  # what announced the facts is gone
        outbox.delete_announcements(
            conn, [row.id for row in outbox.load_announcements(conn, 0, 100)]
        )
    assert refold.request_refold(db, rules, actor="anna", reason="amended") == ["P-001", "P-002"]
    assert hint_records(db) == ["P-001", "P-002"]

    worker = HintWorker(db, rules, lambda: trial.clock_time)
    sweeper = Sweeper(worker, "test", sweep_every_s=10.0, left_behind_s=30.0)
    sweeper.step(1000.0)
    assert hint_records(db) == []
    sweeper.step(1031.0)
    assert hint_records(db) == ["P-001", "P-002"]
    worker.fold_from_journal(["P-001", "P-002"])
    sweeper.step(1100.0)
    assert hint_records(db) == []
    with db.read() as conn:
        assert states.load_states_of_other_rules(conn, rules.version) == []
    db.close()


def hint_records(db):
    """Take the announced participants off the outbox, and return them."""
    with db.write() as conn:
        rows = outbox.load_announcements(conn, 0, 100)
        outbox.delete_announcements(conn, [row.id for row in rows])
    return [row.key for row in rows if row.topic == topic_names.FACTS]


@pytest.fixture
def amend_rules(tmp_path):
    """Two are treated; one died, and one relapsed. The rule counted deaths, and counts relapses.

    More is known of each than what counts, and who died is heard of last.
    """
    timeline = Timeline(tmp_path)
    timeline.treat("P-001", "P-002")
    timeline.grade(2)
    timeline.death("P-001", 10)
    timeline.grade(11)
    timeline.say(
        structs.replace(fact(Relapse(), 12, subject="P-002"), reported_at=timeline.clock_time)
    )
    timeline.grade(13)
    timeline.say(lab("sodium", "140", 30, "mmol/L", subject="P-001"))
    timeline.determine("BLINA-HSCT.S1", "continue")  # the study itself is folded, too
    timeline.grade(31)
    rules = timeline.rules.rules
    counts_relapses = [
        replace(one, any_of=(EventPattern(fact="relapse"),), competing=())
        if one.id == RULE
        else one
        for one in rules.protocol.rules
    ]
    protocol = replace(rules.protocol, rules=tuple(counts_relapses), version="2")
    timeline.rules.rules = replace(rules, protocol=protocol, version="v2")
    timeline.rules.cache = Cache()
    yield timeline
    timeline.close()


def ask(trial):
    return refold.request_refold(trial.db, trial.rules.rules, actor="anna", reason="amendment 2")


def counts(trial, hour=None):
    """The participants that count under the rule, as known at *hour* (None: now)."""
    as_of = None if hour is None else hours(hour)
    with trial.db.read() as conn:
        (clock_time,) = [
            one for one in decide_rules(conn, trial.rules.rules, as_of) if one.rule == RULE
        ]
    return [one.participant for one in clock_time.contributors]


def decisions(trial):
    """Under which protocol the rule spoke last, and whether anything is wrong with that."""
    with trial.db.read() as conn:
        (last,) = [d for d in load_latest_decisions(conn, STUDY) if d.decision.rule == RULE]
        wrong = list(verify.find_all_mismatches(conn, trial.rules.rules, history=True))
    return last.decision.protocol.split()[1], [one.problem for one in wrong]


def test_what_is_graded_anew_is_known_of_all_at_once(amend_rules):
    assert ask(amend_rules) == ["P-001", "P-002"]
    amend_rules.grade(32)
    assert [counts(amend_rules, hour) for hour in (9, 11, 13, 29)] == [[], *[["P-001"]] * 3]
    assert counts(amend_rules, 31) == counts(amend_rules) == ["P-002"]
    with amend_rules.db.read() as conn:
        assert load_first_crossings(conn, amend_rules.rules.rules)[RULE] is None
    assert not amend_rules.rules.look_back()
    assert decisions(amend_rules) == ("v2", [])
    assert amend_rules.alerts(about=RULE) == []


def test_the_rules_speak_again_once_everybody_is_graded_anew(amend_rules, monkeypatch):
    monkeypatch.setattr(journal_worker, "_BATCH_SIZE", 1)
    amend_rules.clock_time = hours(32)
    ask(amend_rules)
    for name in ("P-001", "P-002"):
        assert decisions(amend_rules) == ("v1", [])
        assert amend_rules.rules.look_back() is False
        amend_rules.say(lab("sodium", "141", 32, "mmol/L", subject=name))
        amend_rules.rules.step()
    amend_rules.grade(33)
    assert decisions(amend_rules) == ("v2", [])
    assert counts(amend_rules) == ["P-002"]
    assert amend_rules.alerts(about=RULE) == []


def test_who_is_set_aside_holds_nobody_up(amend_rules):
    ask(amend_rules)
    worker = HintWorker(amend_rules.db, amend_rules.rules.rules, lambda: amend_rules.clock_time)
    worker.fold_from_journal(["P-001"])
    worker.decide()
    assert decisions(amend_rules)[0] == "v1"
    with amend_rules.db.write() as conn:
        state = states.load_state(conn, "P-002")
        assert states.quarantine_state(conn, state, state.folded_through + 1, "poison")
    worker.decide()
    assert decisions(amend_rules)[0] == "v2"


def test_nobody_waits_when_nobody_has_asked(amend_rules):
    with amend_rules.db.read() as conn:
        assert states.load_state(conn, STUDY).is_of_other_rules("v2")
    assert run_study_step(amend_rules.db, amend_rules.rules.rules, amend_rules.clock_time).decisions
    assert decisions(amend_rules)[0] == "v2"


def test_new_facts_let_other_rules_count_from_then_on(amend_rules):
    amend_rules.clock_time = hours(40)
    amend_rules.say(lab("sodium", "142", 40, "mmol/L", subject="P-002"))
    amend_rules.grade(41)
    assert counts(amend_rules, 39) == ["P-001"]
    assert counts(amend_rules, 40) == counts(amend_rules) == ["P-001", "P-002"]
