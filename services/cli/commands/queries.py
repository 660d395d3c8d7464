"""``aegis queries``: what a data manager has to look into."""

from argparse import Namespace

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.knowledge_cut import find_knowledge_cut
from services.cli.shared.open_study import open_data
from services.safety_rules.inquiries import advice_now


def perform(args: Namespace) -> int:
    """Print what a data manager has to look into."""
    context = open_data(args, create=False)
    with context.db.read() as conn:
        at = find_knowledge_cut(context, conn, args)
        found = list(advice_now.queries(conn, context.study.rules, at, args.participant))
    if args.json:
        print_json_lines(found)
        return 0
    for query in found:
        facts = ", ".join(fact[:12] for fact in query.facts)
        print(f"{query.participant}: {query.problem} ({facts})")
    print(f"{len(found)} queries" if found else "nothing to look into")
    return 0
