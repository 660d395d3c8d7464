"""Visits to the provider of an institution, between when a browser is sent there and its return."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete

from services.store.sign_ins import hash_secret
from services.store.tables import provider_visit as table

LONGEST_VISIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ProviderVisit:
    """One visit.

    Attributes:
        purpose: Sign-in or signature.
        person: Who signs; empty: whoever signs in.
        nonce: The answer must repeat it.
        verifier: Of the code challenge (PKCE).
        leads_to: The page to go on with.
        began_at: Aware.
    """

    purpose: str
    person: str
    nonce: str
    verifier: str
    leads_to: str
    began_at: datetime


def add_provider_visit(conn: Connection, state: str, visit: ProviderVisit) -> None:
    """Keep *visit* under the hash of *state*; those that nobody came back from are deleted."""
    conn.execute(delete(table).where(table.c.began_at < visit.began_at - LONGEST_VISIT))
    conn.execute(table.insert().values(hash=hash_secret(state), **asdict(visit)))


def take_provider_visit(conn: Connection, state: str, instant: datetime) -> ProviderVisit | None:
    """Return the visit of *state*, which nobody can take again; None: none, or too long ago."""
    statement = delete(table).where(table.c.hash == hash_secret(state)).returning(*table.c)
    row = conn.execute(statement).mappings().one_or_none()
    if row is None or abs(instant - row["began_at"]) > LONGEST_VISIT:
        return None
    return ProviderVisit(**{name: value for name, value in row.items() if name != "hash"})
