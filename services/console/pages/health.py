"""The health of the installation: what waits, what is set aside, how far the trail is sealed."""

from starlette.responses import Response

from services.console.respond import render
from services.console.visit import Visit
from services.store import journal, parking, states
from services.store.alerts import count_undelivered
from services.store.audit_anchor import find_head, find_unsealed_tail


def show(visit: Visit) -> Response:
    """Show counts and instants: nothing clinical is on this page."""
    context = visit.context
    with context.db.read() as conn:
        counts = {
            "facts not graded yet": journal.count_unhandled(conn),
            "participants set aside": len(states.load_quarantined(conn)),
            "notices to be sent": count_undelivered(conn),
            "parked items": sum(parking.count_parked(conn).values()),
        }
        head, tail = find_head(conn), find_unsealed_tail(conn)
    return render(
        visit, "health.html", counts=counts, head=head, tail=tail, problems=context.list_problems()
    )
