"""Arguments of ``aegis facts``."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import get_args

from services.cli.arguments.common import (
    add_data_and_study,
    add_participant,
    add_reason,
    parse_instant,
)
from services.cli.arguments.numbers import parse_whole_number
from services.vocabulary.clinical_fact import ChronicSeverity
from services.vocabulary.grade import Symptoms
from services.vocabulary.graft_fact import AcuteOrgan, ChronicOrgan
from services.vocabulary.quantity import Quantity

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
        add_reason(word, is_required=False)
        add_data_and_study(word)


def _words(*names: str) -> Callable[[ArgumentParser], None]:
    def add(parser: ArgumentParser) -> None:
        for name in names:
            parser.add_argument(f"--{name}", default="", metavar="TEXT", help=f"its {name}")

    return add


def _death(parser: ArgumentParser) -> None:
    meaning = "a term or scale of the study, relapse or infection; default: not known yet"
    parser.add_argument("--cause", default="", metavar="NAME", help=meaning)


def _culture(parser: ArgumentParser) -> None:
    parser.add_argument("--organism", default="", metavar="NAME", help="what grew")
    parser.add_argument("--negative", action="store_true", help="nothing grew")


def _transfusion(parser: ArgumentParser) -> None:
    products, meaning = ("platelet", "red-cell", "plasma"), "default: not named"
    parser.add_argument("--product", choices=products, help=meaning)


def _stages(parser: ArgumentParser) -> None:
    for name, highest in _STAGES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=parse_whole_number, choices=range(highest + 1))


def parse_number(text: str) -> Decimal:
    """Return the number in *text*, 0 or more.

    >>> parse_number("12.5")
    Decimal('12.5')
    >>> parse_number("-1")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '-1' is no number of 0 or more

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0:
        raise ArgumentTypeError(f"{text!r} is no number of 0 or more")
    return number


def parse_bilirubin(text: str) -> Quantity:
    """Return the bilirubin in *text*.

    >>> parse_bilirubin("3.4 mg/dL")
    Quantity(value=Decimal('3.4'), unit='mg/dL', censoring=None)
    >>> parse_bilirubin("58 µmol/L").unit
    'umol/L'
    >>> parse_bilirubin("3.4")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '3.4' names no unit: write 3.4 mg/dL or 3.4 umol/L

    Raises:
        ArgumentTypeError: It is no number with a unit in which the stages are published.
    """
    number, _, unit = text.strip().replace("µ", "u").replace("μ", "u").partition(" ")
    if unit.strip() not in ("mg/dL", "umol/L"):
        example = f"write {number} mg/dL or {number} umol/L"
        raise ArgumentTypeError(f"{text!r} names no unit: {example}")
    return Quantity(parse_number(number), unit.strip())


def _signs(parser: ArgumentParser) -> None:
    numbers = {
        "--rash-percent": "of the body surface, active rash",
        "--stool-ml-per-day": "mean of three days",
        "--stool-episodes-per-day": "where the volume was not measured",
    }
    for option, meaning in numbers.items():
        parser.add_argument(option, type=parse_number, metavar="N", help=meaning)
    findings = {
        "--bullae": "with bullae and desquamation of more than 5 %% of the surface",
        "--severe-gut-sign": "severe abdominal pain with or without ileus, or grossly bloody stool",
    }
    for option, meaning in findings.items():
        parser.add_argument(option, action="store_true", help=meaning)
    parser.add_argument(
        "--bilirubin", type=parse_bilirubin, metavar="'N UNIT'",
        help="taken for a sign of GVHD; that of the laboratory is known without it",
    )  # fmt: skip
    symptoms, meaning = ("none", "intermittent", "persistent"), "nausea, vomiting or anorexia"
    parser.add_argument("--upper-gi", choices=symptoms, help=meaning)
    _add_other_cause(parser, get_args(AcuteOrgan))


def _scores(parser: ArgumentParser) -> None:
    for organ in get_args(ChronicOrgan):
        parser.add_argument(
            f"--{organ.replace('_', '-')}", type=parse_whole_number, choices=range(4)
        )
    meaning = "of predicted: it is the score of the lungs"
    parser.add_argument("--fev1-percent", type=parse_number, metavar="N", help=meaning)
    _add_other_cause(parser, get_args(ChronicOrgan))


def _add_other_cause(parser: ArgumentParser, organs: tuple[str, ...]) -> None:
    parser.add_argument(
        "--other-cause", action="append", default=[], choices=organs,
        help="an organ whose signs a clinician explains otherwise; may be given again",
    )  # fmt: skip


def _graft_status(parser: ArgumentParser) -> None:
    parser.add_argument("--status", required=True, choices=("functioning", "failed"))
    parser.add_argument("--note", default="", metavar="TEXT", help="e.g. the chimerism")


def _severity(parser: ArgumentParser) -> None:
    parser.add_argument("--severity", required=True, choices=get_args(ChronicSeverity))


def _assessment(parser: ArgumentParser) -> None:
    parser.add_argument("--criterion", required=True, metavar="ID", help="e.g. ctcae-5.0.tremor")
    parser.add_argument("--grade", type=parse_whole_number, required=True, choices=range(6))
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
    "death": ("the participant died", _death),
    "withdrawal": ("left the study; --reason is that of the participant too", _words()),
    "culture": ("a microbiological culture", _culture),
    "transfusion": ("a blood product was given", _transfusion),
    "gvhd-stage": ("organ stages of acute GVHD", _stages),
    "gvhd-signs": ("signs of acute GVHD, from which organs are staged (MAGIC)", _signs),
    "chronic-gvhd": ("global severity of chronic GVHD (NIH)", _severity),
    "chronic-gvhd-scores": ("organ scores of chronic GVHD (NIH)", _scores),
    "graft-status": ("a clinician's judgement of the graft", _graft_status),
    "assessment": ("a clinician's own grade of a term", _assessment),
    "finding": ("what a clinician saw about a term that is graded from numbers", _finding),
}
