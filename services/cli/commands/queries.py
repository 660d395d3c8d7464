"""``aegis queries``: the data queries of a data manager."""

from argparse import Namespace

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.knowledge_cut import find_knowledge_cut
from services.cli.shared.open_study import open_to_read
from services.cli.shared.terminal_width import print_text
from services.safety_rules.reports import advice_now


def perform(args: Namespace) -> int:
    """Print the data queries that are open."""
    context = open_to_read(args)
    with context.db.read() as conn:
        cut_at = find_knowledge_cut(conn, args, context.settings, context.study_id)
        queries = list(advice_now.list_queries(conn, context.study.rules, cut_at, args.participant))
    if args.json:
        print_json_lines(queries)
        return 0
    for query in queries:
        facts = ", ".join(fact[:12] for fact in query.facts)
        print_text(f"{query.participant}: {query.problem} ({facts})")
    print(f"{len(queries)} queries" if queries else "nothing to look into")
    return 0
