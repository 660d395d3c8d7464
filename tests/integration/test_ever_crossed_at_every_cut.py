"""A whole trial, looked at as it was known at every cut: what looking back says of it."""

from dataclasses import replace

import pytest

from services.safety_rules.application.decide_study import status
from services.safety_rules.application.past_crossings import ever_crossed
from services.simulator.trial import simulate_trial
from services.store import journal, records
from services.vocabulary.protocol import BoundaryStep
from tests.helpers.installation import Installation, messages_of

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
    installed = Installation(tmp_path)
    installed.enrol(TRIAL)
    installed.accept(messages_of(TRIAL))
    installed.settle()
    rules = at_the_first_event(installed.context.study.rules)
    study = rules.protocol.study
    with installed.db.read() as conn:
        stood = {row.known_at for row in records.load_standing_versions(conn, study)}
        heard = [at for at, _, _ in journal.load_observation_instants(conn, study)]
        cuts = sorted(stood.union(heard[:: max(1, len(heard) // 40)]))
        ever = dict.fromkeys((rule.id for rule in rules.protocol.rules), None)
        for cut in cuts:
            for said in status(conn, rules, cut):
                if ever[said.rule] is None and said.crossed_since is not None:
                    ever[said.rule] = cut
            assert ever_crossed(conn, rules, cut) == ever
        assert ever_crossed(conn, rules) == ever
    assert len(cuts) > 40
    assert {rule for rule, since in ever.items() if since} >= {"BLINA-HSCT.S1", "BLINA-HSCT.S3"}
