"""The seals of the audit trail, as a part of a process that also grades."""

from services.cli.process.gauges import RulesGauges
from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.runtime.clock import now_utc
from services.store import seal_worker
from services.store.held_lease import HeldLease


def add_sealer(parts: Parts) -> None:
    """Let the audit trail be sealed, and what is open be shown."""
    context = parts.context
    lease = HeldLease(context.db, "sealer", make_holder_name(), now_utc)
    parts.work["sealer"] = lambda stop: seal_worker.run_seal_worker(lease, context.keys, stop)
    parts.shows.append(RulesGauges(context, parts.metrics, now_utc).show)
