"""``aegis login``: a person who acts at this command line from now on."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.ask_password import read_password, read_secret
from services.cli.shared.sign_act import make_door
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.token_file import write_token
from services.people.sessions import Session, find_session
from services.people.sign_in import Proof, Refusal, sign_in
from services.runtime.clock import now_utc
from services.runtime.settings import PeopleSettings, read_settings
from services.store import people
from services.store.sign_ins import Use


def perform(args: Namespace) -> int:
    """Sign a person in, and keep a token of it in the data folder for some hours.

    Raises:
        CommandError: There is nobody yet, or the proof or the token is not right.
    """
    data = open_stored_data(args)
    with data.db.read() as conn:
        if not people.has_people(conn):
            raise CommandError("there is nobody yet: make the first person, `aegis people init`")
    takes_token = args.token or args.token_file is not None
    session = _take_token(args, data) if takes_token else _begin_session(args, data)
    write_token(data.settings, session.secret)
    roles = ", ".join(sorted(session.person.roles))
    end_text = f"{session.expires_at:%Y-%m-%d %H:%M} UTC"
    print(f"{session.person.name} ({roles}) is signed in until {end_text}, or `aegis logout`")
    return 0


def _begin_session(args: Namespace, data: StoredData) -> Session:
    proof = Proof(args.person, read_password(args, args.person), args.code)
    life_s = read_settings(PeopleSettings).token_s
    outcome = sign_in(make_door(data), proof, Use.COMMAND_LINE, life_s)
    if isinstance(outcome, Refusal):
        raise CommandError(outcome.reason)
    return outcome


def _take_token(args: Namespace, data: StoredData) -> Session:
    """Return the session of a token that the person made on their account page."""
    secret = read_secret(args.token_file, args.person, "Token: ").strip()
    with data.db.read() as conn:
        session = find_session(conn, secret, Use.COMMAND_LINE, now_utc())
    if session is None or session.person.id != args.person:
        raise CommandError(
            f"that is no token of {args.person}, or not any more: their account page in the"
            " console makes one"
        )
    return session
