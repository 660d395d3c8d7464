"""``aegis logout``: nobody acts at this command line any more."""

from argparse import Namespace

from services.cli.shared.stored_data import open_stored_data
from services.cli.shared.token_file import delete_token, read_token
from services.people.sessions import end_session, find_session
from services.runtime.clock import now_utc
from services.store.sign_ins import Use


def perform(args: Namespace) -> int:
    """End the session of who is signed in, and delete its token."""
    data = open_stored_data(args)
    try:
        secret = read_token(data.settings)
        with data.db.write() as conn:
            session = find_session(conn, secret, Use.COMMAND_LINE, now_utc()) if secret else None
            if session is not None:
                end_session(conn, session, now_utc())
    finally:
        delete_token(data.settings)
    print("nobody was signed in" if session is None else f"{session.person.name} is signed out")
    return 0
