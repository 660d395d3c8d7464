"""Data queries: what somebody at a site has to look into, by participant."""

from starlette.responses import Response

from services.console.respond import render
from services.console.visit import Visit
from services.store.participant_queries import load_current_queries


def show(visit: Visit) -> Response:
    """Show the open queries on everybody whom the visitor sees."""
    rows, waiting_count = load_rows(visit)
    return render(visit, "queries.html", rows=sorted(rows, key=_order), waiting_count=waiting_count)


def load_rows(visit: Visit) -> tuple[list[tuple[str, str, object]], int]:
    """Return the open queries of whom the visitor sees, each after its site and participant.

    The number is of participants whose queries are not known yet.
    """
    context = visit.context
    with context.db.read() as conn:
        records_by_participant = context.records.load(conn)
        by_subject = load_current_queries(
            conn, context.study_id, context.study.rules.version, visit.instant
        )
    site_by_participant = {
        subject: participant_records.site
        for subject, participant_records in records_by_participant.items()
        if visit.sees_site(participant_records.site)
    }
    rows: list[tuple[str, str, object]] = [
        (site_by_participant[subject], subject, query)
        for subject, queries in by_subject.items()
        if subject in site_by_participant
        for query in queries
    ]
    return rows, len(site_by_participant.keys() - by_subject.keys())


def _order(row: tuple[str, str, object]) -> tuple[str, str]:
    return row[0], row[1]
