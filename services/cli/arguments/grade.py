"""Arguments of ``aegis grade``."""

from argparse import ArgumentParser

CRITERIA = ("ctcae-5.0", "ctcae-6.0")
# Columns of the file: those of services.safety_rules.reports.graded_rows.
REQUIRED_COLUMNS = ("term", "value")
OPTIONAL_COLUMNS = (
    *("measure", "unit", "lln", "uln", "baseline", "fasting", "albumin", "on_anticoagulant"),
    *("symptomatic", "replaced", "at_rest", "treatment", "infarction", "neutrophils"),
    *("baseline_lln", "baseline_uln", "peripheral"),
)

_COLUMNS = f"""
Columns: {", ".join(REQUIRED_COLUMNS)}; and as far as known {", ".join(OPTIONAL_COLUMNS)}.
Any other is kept. A term is a published name, a slug, an id or a MedDRA code. Limits and baseline
are in the unit of the value; an empty unit will do where a term is written in multiples alone. An
empty baseline is one that is not known; "none" says that the reading is the baseline, or earlier.
A baseline is normal or abnormal by baseline_lln and baseline_uln; both empty: by lln and uln.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the file of readings, the criteria, and where to write."""
    parser.epilog = _COLUMNS
    parser.add_argument("file", metavar="FILE.csv", help="readings, one to a row; - is stdin")
    parser.add_argument("--criteria", required=True, choices=CRITERIA)
    parser.add_argument("--out", metavar="FILE", help="where to (default: standard output)")
