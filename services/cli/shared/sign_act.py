"""The proof of identity that a signed act asks for again, at the command line."""

import getpass
from argparse import Namespace
from dataclasses import replace

from services.cli.command import CommandError
from services.cli.shared.acting_person import DataInUse
from services.cli.shared.ask_password import read_password
from services.people.sign_in import Door, Proof, Refusal, check_proof
from services.runtime.clock import now_utc
from services.store.vault import Keys, VaultError
from services.vocabulary.person import Actor, SignedBy


def sign_as(args: Namespace, context: DataInUse, actor: Actor) -> Actor:
    """Return *actor* once they have given their password again, for one signed act.

    Raises:
        CommandError: It is not theirs.
    """
    proof = Proof(actor.id, read_password(args, actor.id, f"Password of {actor.id}, to sign: "))
    code = getattr(args, "code", "") or ""
    outcome = check_proof(make_door(context), replace(proof, code=code))
    if isinstance(outcome, Refusal):
        raise CommandError(f"nothing is signed: {outcome.reason}")
    return replace(actor, signed_by=SignedBy.PASSWORD)


def make_door(context: DataInUse) -> Door:
    """Return the place at which proofs are given at this command line.

    Raises:
        CommandError: A key is missing.
    """
    try:
        keys = Keys.load(context.settings.keys_folder)
    except VaultError as error:
        raise CommandError(str(error)) from error
    return Door(context.db, keys, now_utc, f"command line of {getpass.getuser()}")
