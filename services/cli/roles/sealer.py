"""The seals of the audit trail, as a part of a process that also grades."""

from services.cli.gauges import RulesGauges
from services.cli.roles.parts import Parts
from services.cli.serving import holder
from services.runtime.clock import now_utc
from services.store import sealing


def add_sealer(parts: Parts) -> None:
    """Let the audit trail be sealed, and what is open be shown."""
    opened = parts.opened
    parts.work["sealer"] = lambda stop: sealing.run(opened.db, opened.keys, holder(), now_utc, stop)
    parts.shows.append(RulesGauges(opened, parts.metrics, now_utc).show)
