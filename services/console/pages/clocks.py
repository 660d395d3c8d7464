"""Clocks of serious adverse events: those that run, and records that propose one."""

from datetime import UTC, datetime

from starlette.responses import Response

from services.acts.sae_clocks import ClockStart, close_clock, set_seriousness, start_clocks
from services.alerts.clock_list import list_clocks, list_proposals
from services.console.pages import records
from services.console.respond import redirect, render
from services.console.signing import UnsignedError, find_actor, perform_act
from services.console.visit import NotFoundError, Visit
from services.people.rights import find_acting_role
from services.store import sae_clocks
from services.store.sae_clocks import ClockRow
from services.vocabulary.act import ActKind
from services.vocabulary.operations import ClockKind


def show(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show the clocks that the visitor sees, the first due first."""
    with visit.context.db.read() as conn:
        clocks = list_clocks(conn, visit.instant)
        by_participant = visit.context.records.load(conn)
        episodes = (one for each in by_participant.values() for one in each.episodes)
        proposals = list_proposals(conn, episodes)
    sites = {name: one.site for name, one in by_participant.items()}

    def is_seen(participant: str) -> bool:
        return visit.sees_site(sites.get(participant, "-"))

    seen_clocks = [one for one in clocks if is_seen(one.row.participant)]
    return render(
        visit,
        "clocks.html",
        status,
        running=[one for one in seen_clocks if one.left_s is not None],
        closed=[one for one in seen_clocks if one.left_s is None],
        proposals=[one for one in proposals if is_seen(one.record.content.participant)],
        may_close=find_acting_role(visit.person, ActKind.CLOSE_CLOCK) is not None,
        fault=fault,
    )


def close(visit: Visit) -> Response:
    """Close the clock of the form: its report was made, or there is none to make."""
    actor = find_actor(visit, ActKind.CLOSE_CLOCK)
    row = _find_clock(visit, visit.read_field("clock"))
    reason = visit.read_field("reason")
    try:
        perform_act(lambda: close_clock(visit.context.db, actor, row, reason, visit.instant))
    except UnsignedError as error:
        return show(visit, error.status, str(error))
    return redirect("/clocks")


def decide_seriousness(visit: Visit) -> Response:
    """Record that a record is serious, with the clocks that are to run; or that it is not."""
    record = records.find_record(visit, visit.path["record"])
    reason, db = visit.read_field("reason"), visit.context.db
    try:
        kinds = _read_clocks(visit)
        is_serious = _read_seriousness(visit)
        actor = find_actor(visit, ActKind.START_CLOCK if kinds else ActKind.SET_SERIOUSNESS)
        if kinds:
            periods = visit.context.study.rules.protocol.clock_periods
            start = ClockStart(record, kinds, _read_awareness(visit), reason, periods)
            perform_act(lambda: start_clocks(db, actor, start, visit.instant))
        else:
            perform_act(
                lambda: set_seriousness(
                    db, actor, record, reason, visit.instant, is_serious=is_serious
                )
            )
    except UnsignedError as error:
        return records.show(visit, error.status, str(error))
    return redirect(f"/records/{record.id}")


def _find_clock(visit: Visit, clock_id: str) -> ClockRow:
    with visit.context.db.read() as conn:
        rows = sae_clocks.load_clocks(conn)
    row = next((one for one in rows if one.id == clock_id), None)
    if row is None:
        raise NotFoundError
    records.find_record(visit, row.record)
    return row


def _read_clocks(visit: Visit) -> list[ClockKind]:
    """Return the clocks that the form ticks.

    Raises:
        UnsignedError: There is no such clock, or the rest of the form contradicts them.
    """
    words = [*dict.fromkeys(visit.form.get("clock", ()))]
    if unknown_words := [word for word in words if word not in [*ClockKind]]:
        raise UnsignedError(f"Nothing is kept: no clock is called {unknown_words[0]!r}.", 400)
    if words and visit.read_field("serious") == "no":
        problem = "Nothing is kept: a record that is not serious starts no clock; untick it."
        raise UnsignedError(problem, 400)
    if not words and visit.read_field("aware").strip():
        problem = "Nothing is kept: a time of awareness needs a clock; tick one, or leave it empty."
        raise UnsignedError(problem, 400)
    return [ClockKind(word) for word in words]


def _read_seriousness(visit: Visit) -> bool:
    """Return True if the form says that the record is serious; with "no" it ticks no clock.

    Raises:
        NotFoundError: It says neither.
    """
    answers = {"yes": True, "no": False}
    if (word := visit.read_field("serious")) not in answers:
        raise NotFoundError
    return answers[word]


def _read_awareness(visit: Visit) -> datetime:
    """Return the instant of awareness that the form states, in UTC.

    Raises:
        UnsignedError: It is none.
    """
    try:
        aware_at = datetime.fromisoformat(visit.read_field("aware").strip())
    except ValueError:
        problem = "Nothing is started: the time of awareness is like 2026-03-14 09:30, in UTC."
        raise UnsignedError(problem, 400) from None
    return aware_at.replace(tzinfo=aware_at.tzinfo or UTC).astimezone(UTC)
