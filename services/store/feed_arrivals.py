"""Observations as they came: whose, from which site, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services.store.tables import fact, participant


@dataclass(frozen=True, slots=True)
class FeedArrival:
    """An observation: its participant and site, when it came, and its JSON."""

    subject: str
    site: str
    received_at: datetime
    payload: str


def load_feed_arrivals(conn: Connection, study: str, begins_at: datetime) -> Iterator[FeedArrival]:
    """Yield the observations of *study* that were made at *begins_at* (aware) or later."""
    query = (
        select(fact.c.subject, participant.c.site, fact.c.received_at, fact.c.payload)
        .join(participant, participant.c.subject == fact.c.subject)
        .where(
            participant.c.study == study,
            participant.c.last_received_at >= begins_at,
            fact.c.observed_at >= begins_at,
            fact.c.kind == "observation",
        )
    )
    yield from (FeedArrival(*row) for row in conn.execute(query))
