"""``aegis refold``: what other rules wrote is graded by those that run, after an upgrade."""

from argparse import Namespace
from collections.abc import Iterator

from services.acts.regrading import refold_participants
from services.acts.study_context import StudyContext
from services.cli.shared.acting_person import find_actor
from services.cli.shared.grade_entered_facts import describe_later_grading, grade_entered_facts
from services.cli.shared.open_study import open_data, open_to_read
from services.cli.shared.other_rules import count_graded_by_other_rules
from services.cli.shared.regrade_changes import describe_changes
from services.cli.shared.terminal_width import print_text
from services.safety_rules.reports import refold
from services.store import states
from services.vocabulary.act import ActKind


def perform(args: Namespace) -> int:
    """Show the changes that grading anew would bring, or make them."""
    context = open_to_read(args) if args.reason is None else open_data(args, create=False)
    try:
        return _preview_or_refold(context, args)
    finally:
        context.db.close()


def _preview_or_refold(context: StudyContext, args: Namespace) -> int:
    if args.reason is None:
        print_text("\n".join(_preview(context)))
        return int(count_graded_by_other_rules(context) > 0)
    actor = find_actor(context, ActKind.REFOLD)
    subjects = refold_participants(context, actor, args.reason)
    print(f"{len(subjects)} participants are to be graded by rules {context.study.rules.version}")
    if not subjects:
        return 0
    if grade_entered_facts(context):
        print(f"{count_graded_by_other_rules(context)} of them are not")
        return int(count_graded_by_other_rules(context) > 0)
    print(describe_later_grading(context))
    return 0


def _preview(context: StudyContext) -> Iterator[str]:
    rules = context.study.rules
    with context.db.read() as conn:
        other_versions = {
            one.rules_version for one in states.load_states_of_other_rules(conn, rules.version)
        }
        people = sum(map(len, refold.find_outdated_families(conn, rules)))
        preview = refold.preview_refold(conn, rules)
    if not people:
        yield f"every record is of the rules that run, {rules.version}"
        return
    versions = ", ".join(sorted(other_versions))
    yield f"{versions} -> {rules.version}, on the same facts; nothing is written"
    yield f"{people} participants were graded by other rules than those that run"
    yield ""
    yield from describe_changes(preview)
    yield ""
    yield "`aegis refold --reason TEXT` appends the new versions; the old ones stay readable"
