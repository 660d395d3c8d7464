"""The trial goes on by another protocol: what is folded again, and what of it is news."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.safety_rules.application.cache import Cache
from services.safety_rules.reports import refold
from services.store import records, states
from services.vocabulary.judgement import Assessment
from tests.helpers.fact_notes import fact, lab
from tests.helpers.timeline import Timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path):
    timeline = Timeline(tmp_path)
    timeline.treat("P-001", "P-002")
    timeline.say(lab("potassium", "6.5", 2, "mmol/L", lln="3.5", uln="5.0"))
    timeline.say(fact(Assessment("ctcae-5.0.tremor", 3, "a clinician"), 3, subject="P-002"))
    timeline.advance_to(4)
    yield timeline
    timeline.close()


def run_protocol(trial, version, **changes):
    """Let the rules run by another protocol, as after a restart."""
    rules = trial.rules.rules
    protocol = replace(rules.protocol, **changes)
    trial.rules.rules = replace(rules, protocol=protocol, version=version)
    trial.rules.cache = Cache()
    with trial.db.read() as conn:
        earlier = records.count_versions(conn)
    trial.advance_to(4.5)
    with trial.db.read() as conn:
        assert records.count_versions(conn) == earlier, "nothing is graded anew without being asked"
    assert refold.request_refold(trial.db, trial.rules.rules, actor="anna", reason="as amended")
    trial.advance_to(5)
    with trial.db.read() as conn:
        results = records.load_episode_versions(conn)
        versions = {state.rules_version for state in states.load_states(conn)}
        added_versions = records.count_versions(conn) - earlier
    assert versions == {version}
    return added_versions, [one for one in results if one.rules_version == version]


def test_what_reads_alike_gets_no_version(trial):
    assert run_protocol(trial, "v2", title="The same, amended") == (0, [])


def test_a_longer_window_touches_the_records_that_lie_in_it_and_says_why(trial):
    windows = trial.rules.rules.protocol.windows
    only_one = {"course-30": windows["course-30"]}
    added_versions, versions = run_protocol(trial, "v2", windows=only_one)
    assert added_versions == len(versions) == 2
    assert {one.cause for one in versions} == {"changed (other rules)"}
    assert {one.content.windows for one in versions} == {("course-30",)}


def test_a_protocol_that_lets_people_wait_less_changes_no_record(trial):
    policy = replace(trial.rules.rules.protocol.alerts, acknowledge_within=timedelta(hours=1))
    assert run_protocol(trial, "v2", alerts=policy) == (0, [])
