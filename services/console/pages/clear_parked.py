"""Parked items cleared by a person: a whole group read again, or discarded with a reason."""

from starlette.responses import Response

from services.acts.append_act import require_reason
from services.acts.parked_changes import discard_items, retry_items
from services.console.pages import parked
from services.console.respond import redirect
from services.console.signing import UnsignedError, find_actor, perform_act
from services.console.visit import NotFoundError, Visit
from services.store import parking
from services.store.parking import ParkedRow
from services.vocabulary.act import ActKind


def change(visit: Visit) -> Response:
    """Read the parked items of a site again, or discard those of the form."""
    try:
        match visit.read_field("act"):
            case "retry":
                _retry(visit)
            case "discard":
                _discard(visit)
            case _:
                raise NotFoundError
    except UnsignedError as error:
        return parked.show(visit, error.status, str(error))
    return redirect("/parked")


def _retry(visit: Visit) -> None:
    actor = find_actor(visit, ActKind.RETRY_PARKED)
    site = visit.read_field("site")
    if not site or not visit.sees_site(site):
        raise NotFoundError
    perform_act(lambda: retry_items(visit.context.data, actor, site))


def _discard(visit: Visit) -> None:
    actor = find_actor(visit, ActKind.DISCARD_PARKED)
    items, reason = _find_items(visit), visit.read_field("reason")
    perform_act(lambda: discard_items(visit.context.data, actor, items, require_reason(reason)))


def _find_items(visit: Visit) -> list[ParkedRow]:
    """Return the open items that the form names.

    Raises:
        NotFoundError: It names none that is open at a site that the visitor sees.
    """
    ids = {*visit.form.get("item", ())}
    with visit.context.db.read() as conn:
        rows = parking.load_parked(conn, site=visit.person.site or None)
    items = [row for row in rows if row.id in ids]
    if not items:
        raise NotFoundError
    return items
