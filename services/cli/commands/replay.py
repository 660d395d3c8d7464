"""``aegis replay``: the history of every record, made again from the journal."""

from argparse import Namespace

from services.cli.shared.open_study import open_to_read
from services.cli.shared.verification import (
    count_stored,
    describe_other_rules,
    find_decision_faults,
)
from services.safety_rules.reports import verify
from services.store.snapshots import Snapshots


def perform(args: Namespace) -> int:
    """Print each difference between the stored history and that of the journal."""
    context = open_to_read(args)
    count = 0
    with Snapshots(context.db) as look:
        for wrong in verify.check_participants(look, context.study.rules, history=True):
            print(f"{wrong.participant}: {wrong.problem}", flush=True)
            count += 1
        for fault in find_decision_faults(context):
            print(fault, flush=True)
            count += 1
        look.renew()
        print(describe_other_rules(context, look()) + str(count_stored(look())))
    context.db.close()
    print(f"{count} differences" if count else "replayed: the same history")
    return int(count > 0)
