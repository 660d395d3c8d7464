"""The seals of the audit trail, as a part of a process that also grades."""

from services.cli.process.gauges import RulesGauges
from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.runtime.clock import now_utc
from services.store.held_lease import HeldLease
from services.store.seal_worker import SealWorker


def add_sealer(parts: Parts) -> None:
    """Let the audit trail be sealed, and what is open be shown."""
    context = parts.context
    lease = HeldLease(context.db, "sealer", make_holder_name(), now_utc)
    parts.last_work["sealer"] = SealWorker(lease, context.keys).run
    parts.shows.append(RulesGauges(context, parts.metrics, now_utc).show)
