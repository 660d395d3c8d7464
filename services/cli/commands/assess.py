"""``aegis assess``: the rules alone, on a file of facts."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from services.acts.intake import make_fact_names
from services.cli.command import CommandError
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.records_table import make_records_table
from services.cli.shared.rules_table import make_rules_table
from services.ingest.fact_names import FactNames
from services.ingest.facts import read_lines
from services.runtime.canonical_json import write_canonical
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.application.recompute import TrialAssessment, assess
from services.vocabulary.fact import Fact
from services.vocabulary.printable_text import escape_json

_LATEST_YEAR = 9000  # a window that begins later may end after the last year there is


def perform(args: Namespace) -> int:
    """Print the records, decisions and queries of a file of facts."""
    study = load_rules(read_chosen_settings(args).study)
    assessment = assess(study.rules, _read_facts(args.file, make_fact_names(study)), args.as_of)
    if args.json:
        print(_as_json(assessment))
        return 0
    print(make_records_table(assessment.episodes))
    if assessment.decisions:
        print(f"\n{make_rules_table(assessment.decisions, assessment.ever_crossed, args.as_of)}")
    for query in assessment.queries:
        facts = ", ".join(fact[:12] for fact in query.facts)
        print(f"look into {query.participant}: {query.problem} ({facts})")
    return 0


def _read_facts(name: str, names: FactNames) -> list[Fact]:
    """Return the facts in a file.

    Raises:
        CommandError: A line is no fact, has a name that nobody knows or a time that is too late:
            nothing is assessed on half of the facts.
    """
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
    facts, wrong = read_lines(content, names)
    if wrong:
        lines = "\n  ".join(f"{item.path}: {item.detail}" for item in wrong[:10])
        raise CommandError(f"{name}: {len(wrong)} lines cannot be used:\n  {lines}")
    late_lines = [line for line in facts if line.fact.observed_at.year > _LATEST_YEAR]
    if late_lines:
        place = late_lines[0].place
        raise CommandError(f"{name}: {place}: observed_at lies after the year {_LATEST_YEAR}")
    return [line.fact for line in facts]


def _as_json(assessment: TrialAssessment) -> str:
    parts = {
        "records": sorted(assessment.episodes, key=lambda e: write_canonical(e.content)),
        "standings": assessment.standings,
        "decisions": assessment.decisions,
        "ever_crossed": assessment.ever_crossed,
        "queries": assessment.queries,
    }
    text = json.dumps(json.loads(write_canonical(parts)), indent=1, ensure_ascii=False)
    return "\n".join(map(escape_json, text.split("\n")))
