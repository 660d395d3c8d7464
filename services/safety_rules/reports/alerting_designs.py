"""The designs of the rules of a study that alert."""

from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.domain.stopping.design import Design
from services.safety_rules.domain.stopping.familywise_error import JointRule, PersonTimeTrial


def list_alerting_designs(study: Study) -> list[JointRule]:
    """Return the design of each rule of *study* that alerts, for `simulate_familywise_error`."""
    alerting_rules = [rule for rule in study.protocol.rules if not rule.watch_only]
    designs = [(rule.stop_when, study.designs[rule.id]) for rule in alerting_rules]
    return [
        design if isinstance(design, Design) else PersonTimeTrial(design, stop.p0, stop.n)
        for stop, design in designs
    ]
