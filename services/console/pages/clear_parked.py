"""Parked items cleared by a person: a code mapped or ignored, a group read again or discarded."""

from starlette.responses import Response

from services.acts.append_act import require_reason
from services.acts.code_mapping import CodeMapping, map_code, retry_with_active_files
from services.acts.parked_changes import discard_items, retry_items
from services.console.pages import parked
from services.console.respond import redirect
from services.console.signing import UnsignedError, find_actor, perform_act
from services.console.visit import NotFoundError, Visit
from services.store import parking
from services.store.parking import ParkedRow
from services.vocabulary.act import ActKind


def change(visit: Visit) -> Response:
    """Do with parked items what the button of the form says, and show those that still wait."""
    try:
        match visit.read_field("act"):
            case "retry":
                _retry(visit)
            case "discard":
                _discard(visit)
            case "map":
                _map_code(visit, visit.read_field("target").strip())
            case "ignore":
                _map_code(visit, "")
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


def _map_code(visit: Visit, target: str) -> None:
    """Let the code of the form mean *target*, or nothing, and read again what waits for it.

    Raises:
        UnsignedError: It cannot, or there is no reason; says why.
    """
    is_map, site = visit.read_field("act") == "map", visit.read_field("site")
    actor = find_actor(visit, ActKind.MAP_CODE if is_map else ActKind.IGNORE_CODE)
    if not site or not visit.sees_site(site):
        raise NotFoundError
    if is_map and not target:
        raise UnsignedError("Nothing is done: say what the code means.", 400)
    code, table = visit.read_field("code"), visit.read_field("table")
    new_mapping = CodeMapping(site, code, table, target, visit.read_field("reason"))
    perform_act(lambda: map_code(visit.context.data, actor, new_mapping))
    retry_with_active_files(visit.context.data, actor, site)


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
