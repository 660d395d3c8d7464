"""``aegis assess``: the rules alone, on a file of facts."""

import json
from argparse import Namespace

from services.acts.intake import make_fact_names
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.fact_lines import read_facts
from services.cli.shared.records_table import make_records_table
from services.cli.shared.rules_table import make_rules_table
from services.runtime.canonical_json import write_canonical
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.application.recompute import TrialAssessment, assess
from services.vocabulary.printable_text import escape_json


def perform(args: Namespace) -> int:
    """Print the records, decisions and queries of a file of facts."""
    study = load_rules(read_chosen_settings(args).study)
    assessment = assess(study.rules, read_facts(args.file, make_fact_names(study)), args.as_of)
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
