"""Sites: how fresh and how timely their data are, and what waits there."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from services.console.respond import render
from services.console.visit import Visit
from services.console.worklist_items import is_waiting
from services.store import messages, parking


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site as its feed stands.

    Attributes:
        site: Id.
        participants: Graded so far.
        last_received_at: The last message of it; None: none yet.
        parked: Items that wait.
        to_judge: Records that nobody has judged; None: not for this visitor.
    """

    site: str
    participants: int
    last_received_at: datetime | None
    parked: int
    to_judge: int | None


def show(visit: Visit) -> Response:
    """Show the sites that the visitor sees."""
    context = visit.context
    with context.db.read() as conn:
        records_by_participant = context.records.load(conn)
        last_received = messages.find_last_received_by_site(conn)
        parked_counts = parking.count_parked(conn)
    participants = Counter(
        participant_records.site for participant_records in records_by_participant.values()
    )
    to_judge = Counter(
        participant_records.site
        for participant_records in records_by_participant.values()
        for one in participant_records.episodes
        if is_waiting(one)
    )
    parked: Counter[str] = Counter()
    for (site, _reason), count in parked_counts.items():
        parked[site] += count
    names = participants.keys() | {site for site in last_received if site} | parked.keys()
    rows = [
        SiteRow(
            site,
            participants[site],
            last_received.get(site),
            parked[site],
            to_judge[site] if visit.sees_participants else None,
        )
        for site in sorted(names)
        if visit.sees_site(site)
    ]
    return render(visit, "sites.html", rows=rows)
