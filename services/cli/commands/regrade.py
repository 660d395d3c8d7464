"""``aegis regrade``: what another version of the criteria would change, before anything does."""

from argparse import Namespace
from collections.abc import Iterator

from services.acts.study_context import StudyContext
from services.cli.command import CommandError
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.open_study import open_to_read
from services.cli.shared.regrade_changes import describe_changes, summarize_changes
from services.cli.shared.terminal_width import print_text
from services.safety_rules.adapters.rules_version import list_tables
from services.safety_rules.reports.regrade import Preview, preview_regrade


def perform(args: Namespace) -> int:
    """Show the changes that other criteria would bring."""
    context = open_to_read(args)
    if args.to not in list_tables():
        raise CommandError(f"{args.to} is no table; it is one of: {', '.join(list_tables())}")
    if not args.dry_run:
        raise CommandError(_explain_procedure(context, args.to))
    with context.db.read() as conn:
        difference = preview_regrade(conn, context.study, args.to)
    if args.json:
        print_json_lines([_as_json(context, difference, args.to)])
    else:
        print_text("\n".join(_describe_difference(context, difference, args.to)))
    return 1 if difference.records or difference.faults else 0


def _explain_procedure(context: StudyContext, table: str) -> str:
    current_table = context.study.rules.protocol.criteria
    if table == current_table:
        return f"the study is graded by {current_table} already"
    return (
        f"the version of the criteria is a part of the protocol, and is changed there: see what"
        f" that would do with --dry-run, write `criteria: {table}` and a new `version` in the"
        " protocol.yaml of the study, let it run with `aegis study activate DIR --reason`, let it"
        " be signed with `aegis study sign`, and let every record be graded anew with"
        " `aegis refold --reason`; the old versions stay readable"
    )


def _as_json(context: StudyContext, difference: Preview, table: str) -> dict[str, object]:
    return summarize_changes(difference) | {
        "from": context.study.rules.protocol.criteria,
        "to": table,
        "carried": difference.carried_count,
        "lost": difference.lost_terms,
        "faults": [{"field": field, "problem": problem} for field, problem in difference.faults],
    }


def _describe_difference(context: StudyContext, difference: Preview, table: str) -> Iterator[str]:
    current_table = context.study.rules.protocol.criteria
    yield f"{current_table} -> {table}, on the same facts; nothing is written"
    yield ""
    yield from describe_changes(difference)
    if difference.carried_count:
        words = "grades and decisions of clinicians, given under"
        yield f"{difference.carried_count} {words} {current_table}, are taken as they are"
    for criterion, number in difference.lost_terms.items():
        yield f"{number} facts about {criterion} would be lost: {table} has no such term"
    for field, problem in difference.faults:
        yield f"protocol.yaml would be refused: {field}: {problem}"
