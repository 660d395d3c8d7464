"""A stopping rule by its id."""

from services.cli.command import CommandError
from services.vocabulary.protocol import Protocol, Rule


def find_rule(protocol: Protocol, rule_id: str) -> Rule:
    """Return the rule of *protocol* that has this id.

    Raises:
        CommandError: None has; it names those that there are.
    """
    rule = next((one for one in protocol.rules if one.id == rule_id), None)
    if rule is None:
        rule_ids = ", ".join(one.id for one in protocol.rules)
        raise CommandError(f"RULE must be one of {rule_ids}, not {rule_id}")
    return rule
