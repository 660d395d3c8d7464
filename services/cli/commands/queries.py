"""``aegis queries``: the data queries of a data manager."""

from argparse import Namespace

from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.known_queries import load_known_queries
from services.cli.shared.terminal_width import print_text
from services.vocabulary.count_text import name_count


def perform(args: Namespace) -> int:
    """Print the data queries that are open."""
    queries = load_known_queries(args)
    if args.json:
        print_json_lines(queries)
        return 0
    for query in queries:
        facts = ", ".join(fact[:12] for fact in query.facts)
        print_text(f"{query.participant}: {query.problem} ({facts})")
    print(name_count(len(queries), "query", "queries") if queries else "nothing to look into")
    return 0
