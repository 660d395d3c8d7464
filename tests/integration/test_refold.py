"""``aegis refold``: nothing is graded anew in silence; what would change is shown first."""

from dataclasses import replace

import pytest

from services.cli.main import main
from services.runtime import topics
from services.safety_rules.application.cache import Cache
from services.safety_rules.application.decide_study import status, study_step
from services.safety_rules.application.past_crossings import ever_crossed
from services.safety_rules.inquiries import refold, verify
from services.safety_rules.workers import journal_worker
from services.safety_rules.workers.hint_worker import HintWorker
from services.safety_rules.workers.sweeper import Waker
from services.store import outbox, records, states
from services.store.decisions import load_latest_decisions
from services.store.session import Database
from services.vocabulary.fact import Assessment, Relapse
from services.vocabulary.protocol_event import EventPattern
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.timeline import FOLDER, STUDY, Timeline

pytestmark = pytest.mark.slow

RULE = "BLINA-HSCT.S4"  # non-relapse mortality: 2 of 2 to 4


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    made = Timeline(tmp_path, advises=True)
    made.treat("P-001", "P-002")
    made.say(lab("potassium", "6.5", 2, "mmol/L", lln="3.5", uln="5.0"))
    made.say(fact(Assessment("ctcae-5.0.tremor", 3, "a clinician"), 3, subject="P-002"))
    yield made
    made.close()


def older(trial):
    """Grade what is there by rules with one window only, as a version before this one."""
    now = trial.rules.rules
    windows = {"course-30": now.protocol.windows["course-30"]}
    rules = tuple(one for one in now.protocol.rules if one.window == "course-30")
    protocol = replace(now.protocol, windows=windows, rules=rules or now.protocol.rules)
    trial.rules.rules = replace(now, protocol=protocol, version="older")
    trial.advance_to(4)
    trial.rules.rules = now
    trial.rules.cache = Cache()


def versions(trial):
    with trial.db.read() as conn:
        return records.load_episode_versions(conn)


def test_the_preview_shows_what_would_change_and_writes_nothing(trial, capsys):
    older(trial)
    before = versions(trial)
    trial.advance_to(5)
    assert main(["refold"]) == 1
    said = capsys.readouterr().out
    assert "2 participants were graded by other rules than those that run" in said
    assert "P-001" in said
    assert "same grades and times, other details" in said
    assert "2 records would change, 4 would not" in said
    assert "BLINA-HSCT.S3" in said
    assert "nothing is written" in said
    assert versions(trial) == before


def test_verify_says_what_it_leaves_to_the_other_rules(trial, capsys):
    older(trial)
    main(["verify"])
    assert "2 participants were graded by other rules: see `aegis refold`" in (
        capsys.readouterr().out
    )
    with trial.db.read() as conn:
        found = list(verify.mismatches(conn, trial.rules.rules, history=True))
    assert not [one for one in found if one.participant.startswith("P-")]


def test_verify_says_which_rules_have_spoken_under_another_protocol_only(trial, capsys):
    now = trial.rules.rules
    before = replace(now.protocol, version="0")
    trial.rules.rules = replace(now, protocol=before)
    trial.advance_to(4)
    said = f"{len(before.rules)} rules last spoke under another protocol"
    main(["verify"])
    told = capsys.readouterr().out
    assert said in told
    assert "the last decision is not what the standings say" not in told
    trial.rules.rules = now
    trial.say(lab("potassium", "6.6", 6, "mmol/L", lln="3.5", uln="5.0"))
    trial.advance_to(7)
    main(["verify"])
    assert said not in capsys.readouterr().out


def test_a_reason_appends_versions_and_stays_in_the_audit_trail(trial, capsys):
    older(trial)
    before = versions(trial)
    assert main(["refold", "--reason", "windows of amendment 2", "--by", "anna"]) == 0
    added = [one for one in versions(trial) if one not in before]
    version = trial.rules.rules.version
    assert {one.content.participant for one in added} == {"P-001", "P-002"}
    assert {(one.version, one.rules_version, one.cause) for one in added} == {
        (2, version, "changed (other rules)")
    }
    assert [one for one in versions(trial) if one in before] == before
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
    assert main(["refold", "--reason", " "]) == 2
    assert "say why with --reason" in capsys.readouterr().err


def test_new_facts_are_graded_by_the_rules_that_run(trial):
    older(trial)
    before = versions(trial)
    trial.say(lab("potassium", "6.6", 6, "mmol/L", lln="3.5", uln="5.0"))
    trial.advance_to(7)
    assert {one.content.participant for one in versions(trial) if one not in before} == {"P-001"}


def test_workers_beside_each_other_are_told_and_told_again(trial):
    older(trial)
    db = Database.open(trial.db.url, has_relay=True)
    rules = trial.rules.rules
    with db.write() as conn:  # what announced the facts is gone
        outbox.delete_announcements(
            conn, [row.id for row in outbox.load_announcements(conn, 0, 100)]
        )
    assert refold.ask(db, rules, by="anna", reason="amended") == ["P-001", "P-002"]
    assert hinted(db) == ["P-001", "P-002"]

    worker = HintWorker(db, rules, lambda: trial.clock_time)
    waker = Waker(worker, "test", sweep_every_s=10.0, left_behind_s=30.0)
    waker.step(1000.0)
    assert hinted(db) == []
    waker.step(1031.0)
    assert hinted(db) == ["P-001", "P-002"]
    worker.look_at(["P-001", "P-002"])
    waker.step(1100.0)
    assert hinted(db) == []
    with db.read() as conn:
        assert states.load_states_of_other_rules(conn, rules.version) == []
    db.close()


def hinted(db):
    """Who is announced; nobody any more after this."""
    with db.write() as conn:
        rows = outbox.load_announcements(conn, 0, 100)
        outbox.delete_announcements(conn, [row.id for row in rows])
    return [row.key for row in rows if row.topic == topics.FACTS]


@pytest.fixture
def amended(tmp_path):
    """Two are treated; one died, and one relapsed. The rule counted deaths, and counts relapses.

    More is known of each than what counts, and who died is heard of last.
    """
    made = Timeline(tmp_path)
    made.treat("P-001", "P-002")
    made.grade(2)
    made.death("P-001", 10)
    made.grade(11)
    made.say(replace(fact(Relapse(), 12, subject="P-002"), reported_at=made.clock_time))
    made.grade(13)
    made.say(lab("sodium", "140", 30, "mmol/L", subject="P-001"))
    made.determine("BLINA-HSCT.S1", "continue")  # the study itself is folded, too
    made.grade(31)
    rules = made.rules.rules
    counts_relapses = [
        replace(one, any_of=(EventPattern(fact="relapse"),), competing=())
        if one.id == RULE
        else one
        for one in rules.protocol.rules
    ]
    protocol = replace(rules.protocol, rules=tuple(counts_relapses), version="2")
    made.rules.rules = replace(rules, protocol=protocol, version="v2")
    made.rules.cache = Cache()
    yield made
    made.close()


def ask(trial):
    return refold.ask(trial.db, trial.rules.rules, by="anna", reason="amendment 2")


def counted(trial, hour=None):
    """Who counts under the rule, as known at *hour* (None: now)."""
    as_of = None if hour is None else hours(hour)
    with trial.db.read() as conn:
        (now,) = [one for one in status(conn, trial.rules.rules, as_of) if one.rule == RULE]
    return [one.participant for one in now.contributors]


def decided(trial):
    """Under which protocol the rule spoke last, and whether anything is wrong with that."""
    with trial.db.read() as conn:
        (last,) = [d for d in load_latest_decisions(conn, STUDY) if d.decision.rule == RULE]
        wrong = list(verify.mismatches(conn, trial.rules.rules, history=True))
    return last.decision.protocol.split()[1], [one.problem for one in wrong]


def test_what_is_graded_anew_is_known_of_all_at_once(amended):
    assert ask(amended) == ["P-001", "P-002"]
    amended.grade(32)
    assert [counted(amended, hour) for hour in (9, 11, 13, 29)] == [[], *[["P-001"]] * 3]
    assert counted(amended, 31) == counted(amended) == ["P-002"]
    with amended.db.read() as conn:
        assert ever_crossed(conn, amended.rules.rules)[RULE] is None
    assert not amended.rules.look_back()
    assert decided(amended) == ("v2", [])
    assert amended.alerts(about=RULE) == []


def test_the_rules_speak_again_once_everybody_is_graded_anew(amended, monkeypatch):
    monkeypatch.setattr(journal_worker, "_AT_ONCE", 1)
    amended.clock_time = hours(32)
    ask(amended)
    for name in ("P-001", "P-002"):
        assert decided(amended) == ("v1", [])
        assert amended.rules.look_back() is False
        amended.say(lab("sodium", "141", 32, "mmol/L", subject=name))
        amended.rules.step()
    amended.grade(33)
    assert decided(amended) == ("v2", [])
    assert counted(amended) == ["P-002"]
    assert amended.alerts(about=RULE) == []


def test_who_is_set_aside_holds_nobody_up(amended):
    ask(amended)
    worker = HintWorker(amended.db, amended.rules.rules, lambda: amended.clock_time)
    worker.look_at(["P-001"])
    worker.decide()
    assert decided(amended)[0] == "v1"
    with amended.db.write() as conn:
        state = states.load_state(conn, "P-002")
        assert states.quarantine_state(conn, state, state.folded_through + 1, "poison")
    worker.decide()
    assert decided(amended)[0] == "v2"


def test_nobody_waits_when_nobody_has_asked(amended):
    with amended.db.read() as conn:
        assert states.load_state(conn, STUDY).is_of_other_rules("v2")
    assert study_step(amended.db, amended.rules.rules, amended.clock_time).decisions
    assert decided(amended)[0] == "v2"


def test_new_facts_let_other_rules_count_from_then_on(amended):
    amended.clock_time = hours(40)
    amended.say(lab("sodium", "142", 40, "mmol/L", subject="P-002"))
    amended.grade(41)
    assert counted(amended, 39) == ["P-001"]
    assert counted(amended, 40) == counted(amended) == ["P-001", "P-002"]
