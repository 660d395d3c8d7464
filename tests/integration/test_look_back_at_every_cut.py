"""A whole trial, looked at as it was known at every cut: what looking back says of it."""

from dataclasses import replace

import pytest

from services.safety_rules.application.decide_study import decide_rules
from services.safety_rules.application.past_crossings import load_first_crossings
from services.simulator.trial import simulate_trial
from services.store import observation_times, records
from services.vocabulary.protocol import BoundaryStep
from tests.helpers.installation import Installation

pytestmark = pytest.mark.slow

TRIAL = simulate_trial(3, seed=5, days=8)  # with a merge, corrections, late results and a CRS


def at_the_first_event(rules):
    """The rules, each with a boundary that one event of any number reaches."""
    sooner = [
        replace(
            rule,
            stop_when=replace(rule.stop_when, boundary=(BoundaryStep(1, 1, rule.stop_when.n),)),
        )
        for rule in rules.protocol.rules
    ]
    return replace(rules, protocol=replace(rules.protocol, rules=tuple(sooner)))


def test_a_rule_was_ever_crossed_if_its_status_says_so_at_any_cut_until_then(tmp_path):
    installation = Installation(tmp_path)
    installation.fill(TRIAL)
    rules = at_the_first_event(installation.context.study.rules)
    study = rules.protocol.study
    with installation.db.read() as conn:
        known_instants = {row.known_at for row in records.load_standing_versions(conn, study)}
        message_ids = [at for at, _, _ in observation_times.load_observation_instants(conn, study)]
        cuts = sorted(known_instants.union(message_ids[:: max(1, len(message_ids) // 40)]))
        first_crossed_at = dict.fromkeys((rule.id for rule in rules.protocol.rules), None)
        for cut in cuts:
            for text in decide_rules(conn, rules, cut):
                if first_crossed_at[text.rule] is None and text.crossed_since is not None:
                    first_crossed_at[text.rule] = cut
            assert load_first_crossings(conn, rules, cut) == first_crossed_at
        assert load_first_crossings(conn, rules) == first_crossed_at
    assert len(cuts) > 40
    assert {rule for rule, since in first_crossed_at.items() if since} >= {
        "BLINA-HSCT.S1",
        "BLINA-HSCT.S3",
    }
