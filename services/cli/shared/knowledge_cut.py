"""The instant up to which a command looks at what was known."""

from argparse import Namespace
from datetime import datetime

from services.cli.shared.stored_data import find_participants
from services.runtime.clock import now_utc
from services.runtime.store_settings import StoreSettings
from services.store.session import Connection


def find_knowledge_cut(
    conn: Connection, args: Namespace, settings: StoreSettings, study_id: str
) -> datetime:
    """Return the cut that *args* name, else now; by the clock of messages, the last message.

    Raises:
        CommandError: Nobody has that name.
    """
    by_pseudonym = find_participants(conn, study_id, args.participant)
    as_of: datetime | None = args.as_of
    if as_of is not None:
        return as_of
    received = [p.last_received_at for p in by_pseudonym.values() if p.last_received_at is not None]
    by_message = settings.clock == "message"
    return max(received) if received and by_message else now_utc()
