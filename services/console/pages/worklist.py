"""The worklist: what a person has to do now, in order."""

from datetime import datetime

from starlette.responses import Response

from services.acts.assignment import load_owners
from services.alerts.alert_states import AlertState
from services.console import access
from services.console.list_page import cut_page
from services.console.pages import queries
from services.console.respond import render
from services.console.visit import Visit
from services.console.worklist_items import Item, ItemFilter, list_items
from services.people.rights import find_acting_role, find_verdict_role, list_levels
from services.store import parking
from services.store.alert_states import load_alert_states
from services.vocabulary.act import ActKind
from services.vocabulary.count_text import name_count
from services.vocabulary.judgement import Verdict
from services.vocabulary.number_text import parse_whole_number


def show(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show one page of what waits, as far as the visitor sees it."""
    items = load_items(visit)
    item_filter = _read_filter(visit)
    found_items = item_filter.select(items)
    return render(
        visit,
        "worklist.html",
        status,
        page=cut_page(found_items, visit.query),
        all_count=len(items),
        new_count=_count_new(items, visit.last_visit_at),
        overdue_count=sum(
            item.due_at is not None and item.due_at < visit.instant for item in found_items
        ),
        sites=sorted({item.site for item in items if item.site}),
        item_filter=item_filter,
        is_new_only=item_filter.known_after is not None,
        other_work=_load_other_work(visit),
        may_confirm=find_verdict_role(visit.person, Verdict.CONFIRM) is not None,
        signed_count=parse_whole_number(visit.query.get("signed", "")),
        fault=fault,
    )


def load_items(visit: Visit) -> list[Item]:
    """Return all that waits of whom the visitor sees."""
    context = visit.context
    levels = list_levels(visit.person)
    with context.db.read() as conn:
        by_participant = {
            subject: participant_records
            for subject, participant_records in context.records.load(conn).items()
            if visit.sees_site(participant_records.site)
        }
        rows = context.alerts.load(conn)
        alert_states = load_alert_states(conn)
        owners = load_owners(conn)
    settled_alerts = frozenset(
        alert for alert, row in alert_states.items() if row.state != AlertState.OPEN
    )
    seen_alerts = [
        row for row in rows if row.level in levels and (row.participant or not visit.person.site)
    ]
    return list_items(
        by_participant,
        seen_alerts,
        settled_alerts,
        owners,
        lists_records=access.RECORDS.is_for(visit.person),
    )


def _load_other_work(visit: Visit) -> list[tuple[str, str]]:
    """Return the work on other pages, in words, each with the address of its page.

    Where the page is not for the visitor the address is empty: they are told the number alone.
    """
    person = visit.person
    sees_parked = access.PARKED.is_for(person)
    parked_count = query_count = 0
    if sees_parked or not visit.sees_participants:
        with visit.context.db.read() as conn:
            counts = parking.count_parked(conn)
        parked_count = sum(count for (site, _), count in counts.items() if visit.sees_site(site))
    if find_acting_role(person, ActKind.ANSWER_QUERY):
        query_count = len(queries.load_rows(visit)[0])
    work = (
        (parked_count, "parked item", "parked items", access.PARKED.address if sees_parked else ""),
        (query_count, "query", "queries", access.QUERIES.address),
    )
    return [
        (name_count(count, singular, plural), address)
        for count, singular, plural, address in work
        if count
    ]


def _read_filter(visit: Visit) -> ItemFilter:
    query = visit.query
    return ItemFilter(
        least_grade=parse_whole_number(query.get("grade", "")) or 0,
        words=query.get("words", "").strip(),
        site=query.get("site", ""),
        owner=query.get("owner", ""),
        known_after=visit.last_visit_at if query.get("new") else None,
    )


def _count_new(items: list[Item], last_visit_at: datetime | None) -> int | None:
    """Return the number of items that came since the visit before; None: there was none."""
    return None if last_visit_at is None else sum(item.known_at >= last_visit_at for item in items)
