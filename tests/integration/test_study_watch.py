"""Looks that read only what has changed say what a look at everything says."""

import pytest

from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.study_watch import StudyWatch
from services.simulator.trial import simulate_trial
from services.store import observation_times, records
from tests.helpers.installation import Installation

pytestmark = pytest.mark.slow

TRIAL = simulate_trial(12, seed=5, days=30)
AT_ONCE = 150


def test_each_look_says_what_is_said_of_everything_that_is_known(tmp_path, monkeypatch):
    installation = Installation(tmp_path)
    installation.enrol(TRIAL)
    rules, watch = installation.context.study.rules, StudyWatch()

    def look():
        with installation.db.read() as conn:
            decisions = watch.decide(conn, rules)
            assert decisions == decide_rules(conn, rules)
            return decisions

    reads = []
    original = observation_times.find_last_observations

    def record_subjects(conn, *arguments, subjects=None, **named):
        reads.append(subjects)
        return original(conn, *arguments, subjects=subjects, **named)

    looks = [look()]
    for first in range(0, len(TRIAL.messages), AT_ONCE):
        installation.accept(TRIAL.messages[first : first + AT_ONCE])
        looks.append(look())  # stored, and not folded
        installation.settle()
        looks.append(look())
    assert any(decision.events for decision in looks[-1])
    with installation.db.read() as conn:
        rows = records.load_latest_standings(conn, installation.context.study_id)
    assert any(row.standing.merged_into for row in rows)
    monkeypatch.setattr(observation_times, "find_last_observations", record_subjects)
    with installation.db.read() as conn:
        assert watch.decide(conn, rules) == looks[-1]
    assert not reads  # nobody has moved
