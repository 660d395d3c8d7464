"""Persons of the study: who they are, in which roles, and since when."""

from starlette.responses import Response

from services.console.respond import render
from services.console.visit import Visit
from services.store import people


def show(visit: Visit) -> Response:
    """Show everybody, those who have ended last."""
    with visit.context.db.read() as conn:
        rows = people.load_people(conn)
    return render(
        visit,
        "people.html",
        rows=sorted(rows, key=lambda row: (not row.is_active(visit.instant), row.person.id)),
    )
