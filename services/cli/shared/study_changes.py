"""Changes of the files by which a study runs, from the command line."""

from argparse import Namespace
from dataclasses import replace

from services.acts.protocol_signature import sign_protocol
from services.acts.study_activation import activate_study
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import describe_service
from services.cli.shared.open_study import open_data
from services.cli.shared.seal_written_rows import seal_written_rows
from services.cli.shared.sign_act import sign_as
from services.cli.shared.study_of_data import remember_study
from services.vocabulary.act import ActKind
from services.vocabulary.printable_text import escape_lines


def activate(args: Namespace) -> int:
    """Let the study run by the files of a folder; print what differs from those that ran.

    Raises:
        CommandError: There is no such folder.
        UntrustedFileError: A file in it cannot be trusted; nothing is activated.
    """
    if not args.folder.is_dir():
        raise CommandError(f"{args.folder} is no folder of a study: nothing is activated")
    context = open_data(args)
    actor = find_actor(context, ActKind.ACTIVATE_STUDY)
    outcome = activate_study(context.db, actor, context.study_id, args.folder, args.reason)
    remember_study(replace(context.settings, study=args.folder), context.study_id)
    if outcome.act is None:
        print(f"{args.folder} is what runs already: nothing is activated")
        return 0
    seal_written_rows(context.db, context.keys)
    print(escape_lines("\n".join(outcome.difference)))
    print(f"activated by {actor.name}: {outcome.act.new_value}; {describe_service(context)}")
    return 0


def sign(args: Namespace) -> int:
    """Sign the protocol that runs, and print what was signed."""
    context = open_data(args, create=False)
    protocol = context.study.rules.protocol
    print(f"{protocol.study}, {protocol.label}, sha256 {protocol.sha256}")
    actor = sign_as(args, context, find_actor(context, ActKind.SIGN_PROTOCOL))
    act = sign_protocol(context.db, actor, protocol.study, args.reason, seen_hash=protocol.sha256)
    seal_written_rows(context.db, context.keys)
    print(f"{act.new_value} by {actor.name}: {act.meaning}")
    return 0
