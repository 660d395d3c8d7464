"""The form that gives a record to whoever looks after it."""

from starlette.responses import Response

from services.acts.assignment import Assignment, assign
from services.console.pages import records
from services.console.respond import redirect
from services.console.signing import UnsignedError, find_actor, perform_act
from services.console.visit import Visit
from services.vocabulary.act import ActKind


def change_owner(visit: Visit) -> Response:
    """Record who looks after one record from now on."""
    record = records.find_record(visit, visit.path["record"])
    actor = find_actor(visit, ActKind.ASSIGN)
    assignment = Assignment(
        record.id,
        record.content.participant,
        visit.read_field("owner").strip(),
        visit.read_field("reason"),
    )
    try:
        perform_act(lambda: assign(visit.context.db, actor, assignment, visit.instant))
    except UnsignedError as error:
        return records.show(visit, error.status, str(error))
    return redirect(f"/records/{record.id}")
