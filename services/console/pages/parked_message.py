"""The message of a parked item, and a refused message: identifiers for who may see them alone."""

from collections.abc import Iterable
from typing import TypeVar

from starlette.responses import Response

from services.acts.parked_changes import (
    look_at_message,
    look_at_refusal,
    mask_lines,
    read_message,
)
from services.console.pages import parked
from services.console.respond import render
from services.console.signing import UnsignedError, find_actor, perform_act
from services.console.visit import NotFoundError, Visit
from services.people.rights import find_acting_role
from services.store import parking, refusals
from services.store.parking import ParkedRow
from services.store.refusals import RefusalRow
from services.vocabulary.act import ActKind

Row = TypeVar("Row", ParkedRow, RefusalRow)


def show(visit: Visit) -> Response:
    """Show the segments of the message of one item, and nothing that they hold."""
    item, data = _find_item(visit), visit.context.data
    try:
        lines = perform_act(lambda: mask_lines(read_message(data, item)))
    except UnsignedError as error:
        return parked.show(visit, error.status, str(error))
    return _render_item(visit, item, lines, is_masked=True)


def reveal(visit: Visit) -> Response:
    """Show the message of one item as it came; the look is kept."""
    item, actor = _find_item(visit), find_actor(visit, ActKind.LOOK_AT_MESSAGE)
    try:
        lines = perform_act(lambda: look_at_message(visit.context.data, actor, item))
    except UnsignedError as error:
        return parked.show(visit, error.status, str(error))
    return _render_item(visit, item, lines, is_masked=False)


def show_refused(visit: Visit) -> Response:
    """Show one refused message without the words of its sender."""
    return _render_refusal(visit, _find_refusal(visit), is_masked=True)


def reveal_refused(visit: Visit) -> Response:
    """Show one refused message with the words of its sender; the look is kept."""
    refusal, actor = _find_refusal(visit), find_actor(visit, ActKind.LOOK_AT_MESSAGE)
    revealed_refusal = look_at_refusal(visit.context.data, actor, refusal)
    return _render_refusal(visit, revealed_refusal, is_masked=False)


def _find_item(visit: Visit) -> ParkedRow:
    with visit.context.db.read() as conn:
        rows = parking.load_parked(conn, site=visit.person.site or None)
    item = _find_row(rows, visit.path["item"])
    return next(parking.reveal_details(visit.context.data.keys, [item]))


def _find_refusal(visit: Visit) -> RefusalRow:
    with visit.context.db.read() as conn:
        rows = refusals.load_refusals(conn, visit.person.site or None)
    return _find_row(rows, visit.path["refusal"])


def _find_row(rows: Iterable[Row], row_id: str) -> Row:
    """Return the row of this id.

    Raises:
        NotFoundError: There is none at a site that the visitor sees.
    """
    for row in rows:
        if row.id == row_id:
            return row
    raise NotFoundError


def _render_item(visit: Visit, item: ParkedRow, lines: list[str], *, is_masked: bool) -> Response:
    return render(
        visit,
        "parked-message.html",
        item=item,
        lines=lines,
        is_masked=is_masked,
        may_look=find_acting_role(visit.person, ActKind.LOOK_AT_MESSAGE) is not None,
    )


def _render_refusal(visit: Visit, refusal: RefusalRow, *, is_masked: bool) -> Response:
    return render(
        visit,
        "refused-message.html",
        refusal=refusal,
        is_masked=is_masked,
        may_look=find_acting_role(visit.person, ActKind.LOOK_AT_MESSAGE) is not None,
    )
