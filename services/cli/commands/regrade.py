"""``aegis regrade``: what another version of the criteria would change, before anything does."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_study import StudyContext, open_data
from services.cli.shared.regrade_changes import changes, changes_as_json
from services.safety_rules.adapters.criteria_files import CriteriaFileError
from services.safety_rules.inquiries.regrade import Preview, preview, tables


def perform(args: Namespace) -> int:
    """Show what would change."""
    context = open_data(args, create=False)
    if args.to not in tables():
        raise CommandError(f"{args.to} is no table; it is one of: {', '.join(tables())}")
    if not args.dry_run:
        raise CommandError(_what_to_do(context, args.to))
    try:
        with context.db.read() as conn:
            found = preview(conn, context.study, args.to)
    except CriteriaFileError as error:
        raise CommandError(str(error)) from error
    if args.json:
        print_json_lines([_as_json(context, found, args.to)])
    else:
        print("\n".join(_lines(context, found, args.to)))
    return 1 if found.records or found.faults else 0


def _what_to_do(context: StudyContext, to: str) -> str:
    now = context.study.rules.protocol.criteria
    file = context.settings.study / "protocol.yaml"
    if to == now:
        return f"the study is graded by {now} already"
    return (
        f"the version of the criteria is a part of the protocol, and is changed there: see what"
        f" that would do with --dry-run, write `criteria: {to}` and a new `version` in {file},"
        " let it be signed (signatures.yaml), start Aegis again, and let every record be graded"
        " anew with `aegis refold --reason`; the old versions stay readable"
    )


def _as_json(context: StudyContext, found: Preview, to: str) -> dict[str, object]:
    return changes_as_json(found) | {
        "from": context.study.rules.protocol.criteria,
        "to": to,
        "carried": found.carried,
        "lost": found.lost,
        "faults": [{"field": field, "problem": problem} for field, problem in found.faults],
    }


def _lines(context: StudyContext, found: Preview, to: str) -> Iterator[str]:
    now = context.study.rules.protocol.criteria
    yield f"{now} -> {to}, on the same facts; nothing is written"
    yield ""
    yield from changes(found)
    if found.carried:
        words = "grades and decisions of clinicians, given under"
        yield f"{found.carried} {words} {now}, are taken as they are"
    for criterion, number in found.lost.items():
        yield f"{number} facts about {criterion} would be lost: {to} has no such term"
    for field, problem in found.faults:
        yield f"protocol.yaml would be refused: {field}: {problem}"
