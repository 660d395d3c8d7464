"""Arguments of ``aegis facts``."""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import get_args

from services.cli.arguments.common import (
    add_actor,
    add_data_and_study,
    add_participant,
    parse_instant,
    parse_reason,
)
from services.vocabulary.clinical_fact import ChronicSeverity
from services.vocabulary.grade import Symptoms

_STAGES = {"skin": 4, "liver": 4, "upper_gi": 1, "lower_gi": 4}  # the highest of each organ


def add_arguments(parser: ArgumentParser) -> None:
    """Add export, and add with the kinds of facts."""
    words = parser.add_subparsers(dest="word", required=True, metavar="add|export")
    meaning = "all facts, one JSON object to a line"
    export = words.add_parser("export", help=meaning, description=meaning)
    add_participant(export)
    add_data_and_study(export)
    meaning = "a fact that no feed carries"
    kinds = words.add_parser("add", help=meaning, description=meaning).add_subparsers(
        dest="kind", required=True, metavar="KIND"
    )
    for kind, (meaning, add_kind_arguments) in KINDS.items():
        word = kinds.add_parser(kind, help=meaning, description=meaning)
        word.add_argument("--participant", required=True, metavar="P", help="whose")
        word.add_argument(
            "--at", type=parse_instant, required=True, metavar="T", help="when it was true"
        )
        add_kind_arguments(word)
        add_actor(word)
        add_data_and_study(word)


def _words(*names: str) -> Callable[[ArgumentParser], None]:
    def add(parser: ArgumentParser) -> None:
        for name in names:
            parser.add_argument(f"--{name}", default="", metavar="TEXT", help=f"its {name}")

    return add


def _withdrawal(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", type=parse_reason, metavar="TEXT", help="its reason")


def _culture(parser: ArgumentParser) -> None:
    parser.add_argument("--organism", default="", metavar="NAME", help="what grew")
    parser.add_argument("--negative", action="store_true", help="nothing grew")


def _stages(parser: ArgumentParser) -> None:
    for name, highest in _STAGES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, choices=range(highest + 1))


def _severity(parser: ArgumentParser) -> None:
    parser.add_argument("--severity", required=True, choices=get_args(ChronicSeverity))


def _assessment(parser: ArgumentParser) -> None:
    parser.add_argument("--criterion", required=True, metavar="ID", help="e.g. ctcae-5.0.tremor")
    parser.add_argument("--grade", type=int, required=True, choices=range(6))
    parser.add_argument("--note", default="", metavar="TEXT", help="kept with it")


def _finding(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--criterion", required=True, metavar="ID", help="e.g. ctcae-5.0.lipase-increased"
    )
    parser.add_argument("--symptoms", choices=[str(degree) for degree in Symptoms])
    parser.add_argument(
        "--infarction", choices=("yes", "no"), help="a troponin is at the level of infarction"
    )
    parser.add_argument("--note", default="", metavar="TEXT", help="kept with it")


# Kind of fact: what it means, and its own arguments.
KINDS: Mapping[str, tuple[str, Callable[[ArgumentParser], None]]] = {
    "relapse": ("the malignancy came back", _words("detail")),
    "death": ("the participant died", _words("cause")),
    "withdrawal": ("left the study", _withdrawal),
    "culture": ("a microbiological culture", _culture),
    "gvhd-stage": ("organ stages of acute GVHD", _stages),
    "chronic-gvhd": ("global severity of chronic GVHD (NIH)", _severity),
    "assessment": ("a clinician's own grade of a term", _assessment),
    "finding": ("what a clinician saw about a term that is graded from numbers", _finding),
}
