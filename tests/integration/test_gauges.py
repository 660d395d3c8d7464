"""Gauges of the stopping rules show the last decision, in whichever process it was made."""

import pytest
from prometheus_client import CollectorRegistry

from services.cli.process.gauges import RulesGauges
from services.runtime.clock import now_utc
from services.runtime.metrics import Metrics
from services.simulator.trial import simulate_trial
from services.store.decisions import load_latest_decisions
from services.vocabulary.decision import Signal
from tests.helpers.installation import Installation

pytestmark = pytest.mark.slow

TRIAL = simulate_trial(7, seed=5, days=8)
STATE = {Signal.CONTINUE: 0, Signal.BOUNDARY_LIKELY: 1, Signal.BOUNDARY_REACHED: 2}


def test_a_boundary_that_another_process_finds_reached_is_shown_here_too(tmp_path):
    installation = Installation(tmp_path)
    metrics = Metrics(CollectorRegistry())
    gauges = RulesGauges(installation.context, metrics, now_utc)
    with installation.db.read() as conn:
        gauges.show(conn)
    installation.fill(TRIAL)
    with installation.db.read() as conn:
        gauges.show(conn)
        decisions = {
            row.decision.rule: STATE[row.decision.signal]
            for row in load_latest_decisions(conn, installation.context.study_id)
        }
    page = {
        sample.labels["rule"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "aegis_boundary_state"
    }
    assert max(page.values()) == 2
    assert page == decisions
