"""``aegis login``: a person who acts at this command line from now on."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared.ask_password import read_password
from services.cli.shared.sign_act import make_door
from services.cli.shared.stored_data import open_stored_data
from services.cli.shared.token_file import write_token
from services.people.sign_in import Proof, Refusal, sign_in
from services.runtime.settings import PeopleSettings, read_settings
from services.store import people
from services.store.sign_ins import Use


def perform(args: Namespace) -> int:
    """Sign a person in, and keep a token of it in the data folder for some hours.

    Raises:
        CommandError: There is nobody yet, or the proof is not right.
    """
    data = open_stored_data(args)
    with data.db.read() as conn:
        if not people.has_people(conn):
            raise CommandError("there is nobody yet: make the first person, `aegis people init`")
    proof = Proof(args.person, read_password(args, args.person), args.code)
    life_s = read_settings(PeopleSettings).token_s
    outcome = sign_in(make_door(data), proof, Use.COMMAND_LINE, life_s)
    if isinstance(outcome, Refusal):
        raise CommandError(outcome.reason)
    write_token(data.settings, outcome.secret)
    roles = ", ".join(sorted(outcome.person.roles))
    end_text = f"{outcome.expires_at:%Y-%m-%d %H:%M} UTC"
    print(f"{outcome.person.name} ({roles}) is signed in until {end_text}, or `aegis logout`")
    return 0
