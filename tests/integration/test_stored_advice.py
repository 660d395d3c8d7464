"""Stored advice is what folding the journal gives, or is not used."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.safety_rules.reports import advice_now
from services.store import timers
from services.store.participant_advice import load_current_advice
from services.vocabulary.clinical_fact import Action, Administration, Transplant
from services.vocabulary.identity_change import Merge
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours, lab, quantity
from tests.helpers.timeline import STUDY, Timeline

pytestmark = pytest.mark.slow

TICK = timedelta(microseconds=1)


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path, advises=True)
    timeline.treat("P-001", "P-002")
    timeline.say(fact(Administration("blinatumomab", Action.RATE, quantity("8", "ug/d")), -1))
    timeline.advance_to(0)
    yield timeline
    timeline.close()


def find_current(trial, as_of=None):
    with trial.db.read() as conn:
        version = trial.rules.rules.version
        return load_current_advice(conn, STUDY, version, as_of or trial.clock_time)


def list_advice(trial, as_of=None):
    with trial.db.read() as conn:
        rules = trial.rules.rules
        return list(advice_now.list_advice(conn, rules, as_of or trial.clock_time))


def as_lines(advice):
    """Return the recommendations alone: somebody without any may be left out."""
    return [one for _, mine in advice for one in mine]


def list_folded(trial, monkeypatch, as_of=None):
    with monkeypatch.context() as patch:
        patch.setattr(advice_now, "load_current_advice", lambda *_: {})
        return list_advice(trial, as_of)


def list_stored(trial, monkeypatch):
    """Return the advice, when nobody has to be folded for them."""
    with monkeypatch.context() as patch:
        patch.delattr(advice_now.journal, "load_facts_as_of")
        return list_advice(trial)


CHANGES = {
    "nothing": [],
    "a result above its multiple": [lab("alt", "201", 2, "U/L", uln="40", series="alt")],
    "and taken back": [
        lab("alt", "201", 2, "U/L", uln="40", series="alt"),
        replace(lab("alt", "30", 2, "U/L", uln="40", series="alt"), reported_at=hours(3)),
    ],
    "an impossible number": [lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145")],
    "two dates of a transplant": [fact(Transplant("haploidentical"), -77 * 24)],
    "a merge": [
        fact(Merge("P-001", "P-002"), 3, subject=name, name=name) for name in ("P-001", "P-002")
    ],
}


@pytest.mark.parametrize("facts", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("hour", [4, 47, 60, 200])
def test_the_stored_advice_is_that_of_a_fold(trial, monkeypatch, facts, hour):
    for one in facts:
        trial.say(one)
    trial.advance_to(hour)
    assert as_lines(list_stored(trial, monkeypatch)) == as_lines(list_folded(trial, monkeypatch))


def test_it_says_something(trial):
    trial.say(lab("alt", "201", 2, "U/L", uln="40"))
    trial.advance_to(4)
    assert any("interrupt blinatumomab" in one.says for one in find_current(trial)["P-001"])


def test_a_fact_that_is_not_folded_yet_makes_the_advice_of_its_participant_old(trial, monkeypatch):
    trial.say(lab("alt", "201", 2, "U/L", uln="40"))
    assert find_current(trial).keys() == {"P-002"}
    folded = list_folded(trial, monkeypatch)
    assert as_lines(list_advice(trial)) == as_lines(folded)
    assert any("interrupt" in one.says for one in dict(folded)["P-001"])


def test_advice_is_not_of_what_was_known_before_its_last_fact(trial):
    trial.advance_to(4)
    trial.say(lab("alt", "201", 5, "U/L", uln="40"))
    trial.advance_to(5)
    assert find_current(trial).keys() == {"P-001", "P-002"}
    assert "P-001" not in find_current(trial, trial.clock_time - TICK)


def test_advice_holds_until_time_changes_what_is_recommended(trial, monkeypatch):
    trial.advance_to(1)
    with trial.db.read() as conn:
        due_at = timers.load_timers(conn, "P-001")[timers.ADVICE]
    trial.clock_time = due_at - TICK
    assert as_lines(list_stored(trial, monkeypatch)) == as_lines(list_folded(trial, monkeypatch))
    trial.clock_time = due_at
    assert "P-001" not in find_current(trial)
    assert as_lines(list_advice(trial)) == as_lines(list_folded(trial, monkeypatch))


def find_due_at(trial):
    with trial.db.read() as conn:
        return timers.load_timers(conn, "P-001")[timers.ADVICE]


@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=3)])
@pytest.mark.parametrize(
    ("distance", "is_stored"), [(-TICK, False), (timedelta(0), True), (TICK, True)]
)
def test_advice_that_fell_due_is_not_of_an_instant_before(
    trial, monkeypatch, late, distance, is_stored
):
    trial.advance_to(1)
    due_at = find_due_at(trial)
    trial.advance_to((due_at + late - HOUR_ZERO) / timedelta(hours=1))
    as_of = due_at + distance
    assert ("P-001" in find_current(trial, as_of)) == is_stored
    folded_advice = list_folded(trial, monkeypatch, as_of)
    assert as_lines(list_advice(trial, as_of)) == as_lines(folded_advice)


def test_a_late_step_does_not_date_advice_from_before_what_came_between(trial, monkeypatch):
    trial.advance_to(1)
    begun_at = trial.clock_time
    trial.advance_to(24 * 40)
    for hour in range(2, 24 * 40, 23):
        as_of = begun_at + timedelta(hours=hour)
        folded_advice = list_folded(trial, monkeypatch, as_of)
        assert as_lines(list_advice(trial, as_of)) == as_lines(folded_advice)


def test_advice_of_an_earlier_version_is_not_used_until_it_is_stored_again(trial):
    with trial.db.write() as conn:
        conn.exec_driver_sql("UPDATE participant_advice SET since = NULL WHERE subject = 'P-001'")
    assert find_current(trial).keys() == {"P-002"}
    trial.say(lab("alt", "201", 2, "U/L", uln="40"))
    trial.advance_to(2)
    assert find_current(trial).keys() == {"P-001", "P-002"}


@pytest.mark.parametrize(
    "change",
    ["quarantined_seq = 1", "rules_version = 'other'", "digest = ''", "folded_through = 1"],
)
def test_advice_that_no_step_of_these_rules_left_is_not_used(trial, change):
    with trial.db.write() as conn:
        conn.exec_driver_sql(f"UPDATE participant_state SET {change} WHERE subject = 'P-001'")  # noqa: S608 - fixed words
    assert find_current(trial).keys() == {"P-002"}


def test_advice_that_says_the_same_is_not_written_again(trial):
    def list_versions():
        with trial.db.read() as conn:
            query = "SELECT key FROM audit WHERE place = 'participant_advice' ORDER BY id"
            return conn.exec_driver_sql(query).scalars().all()

    earlier_keys = list_versions()
    assert sorted(earlier_keys) == ["P-001", "P-002"]
    trial.potassium("4.1", hour=2)
    trial.advance_to(2)
    assert list_versions() == earlier_keys
    trial.say(lab("alt", "201", 2, "U/L", uln="40"))
    trial.advance_to(2)
    assert list_versions() == [*earlier_keys, "P-001"]
