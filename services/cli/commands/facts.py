"""``aegis facts``: what people know and feeds do not carry."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import get_args

from services.cli.command import Command, CommandError
from services.cli.shared.enter_facts import by_argument, enter
from services.cli.shared.open_study import Opened, data_arguments, instant, open_data, settle
from services.runtime import wire
from services.store import journal, participants
from services.vocabulary.fact import (
    Assessment,
    Body,
    ChronicGvhd,
    ChronicSeverity,
    Culture,
    Death,
    Finding,
    GvhdStage,
    Relapse,
    Withdrawal,
)
from services.vocabulary.grade import Symptoms

_STAGES = {"skin": 4, "liver": 4, "upper_gi": 1, "lower_gi": 4}  # the highest of each organ


def _words(*names: str) -> Callable[[ArgumentParser], None]:
    def add(parser: ArgumentParser) -> None:
        for name in names:
            parser.add_argument(f"--{name}", default="")

    return add


def _culture(parser: ArgumentParser) -> None:
    parser.add_argument("--organism", default="")
    parser.add_argument("--negative", action="store_true")


def _stages(parser: ArgumentParser) -> None:
    for name, highest in _STAGES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, choices=range(highest + 1))


def _severity(parser: ArgumentParser) -> None:
    parser.add_argument("--severity", required=True, choices=get_args(ChronicSeverity))


def _assessment(parser: ArgumentParser) -> None:
    parser.add_argument("--criterion", required=True, metavar="ID", help="e.g. ctcae-5.0.tremor")
    parser.add_argument("--grade", type=int, required=True, choices=range(6))
    parser.add_argument("--note", default="")


def _finding(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--criterion", required=True, metavar="ID", help="e.g. ctcae-5.0.lipase-increased"
    )
    parser.add_argument("--symptoms", choices=[str(one) for one in Symptoms])
    parser.add_argument(
        "--infarction", choices=("yes", "no"), help="a troponin is at the level of infarction"
    )
    parser.add_argument("--note", default="")


def _as_finding(args: Namespace) -> Finding:
    if args.symptoms is None and args.infarction is None:
        raise CommandError("say what was seen: --symptoms, or --infarction")
    symptoms = None if args.symptoms is None else Symptoms(args.symptoms)
    infarction = None if args.infarction is None else args.infarction == "yes"
    return Finding(args.criterion, args.by, symptoms, infarction, args.note)


_Make = Callable[[Namespace], Body]
_KINDS: Mapping[str, tuple[str, Callable[[ArgumentParser], None], _Make]] = {
    "relapse": ("the malignancy came back", _words("detail"), lambda a: Relapse(a.detail)),
    "death": ("the participant died", _words("cause"), lambda a: Death(a.cause)),
    "withdrawal": ("left the study", _words("reason"), lambda a: Withdrawal(a.reason)),
    "culture": (
        "a microbiological culture",
        _culture,
        lambda a: Culture(not a.negative, a.organism),
    ),
    "gvhd-stage": (
        "organ stages of acute GVHD",
        _stages,
        lambda a: GvhdStage(a.skin, a.liver, a.upper_gi, a.lower_gi),
    ),
    "chronic-gvhd": (
        "global severity of chronic GVHD (NIH)",
        _severity,
        lambda a: ChronicGvhd(a.severity),
    ),
    "assessment": (
        "a clinician's own grade of a term",
        _assessment,
        lambda a: Assessment(a.criterion, a.grade, a.by, a.note),
    ),
    "finding": (
        "what a clinician saw about a term that is graded from numbers",
        _finding,
        _as_finding,
    ),
}


def _arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="add|export")
    export = words.add_parser("export", help="all facts, one JSON object to a line")
    export.add_argument("--participant", metavar="P", help="only this one's")
    data_arguments(export)
    kinds = words.add_parser("add", help="a fact that no feed carries").add_subparsers(
        dest="kind", required=True, metavar="KIND"
    )
    for kind, (meaning, arguments, _) in _KINDS.items():
        word = kinds.add_parser(kind, help=meaning, description=meaning)
        word.add_argument("--participant", required=True, metavar="P")
        word.add_argument("--at", type=instant, required=True, metavar="T", help="when it was true")
        arguments(word)
        by_argument(word)
        data_arguments(word)


def _facts(args: Namespace) -> int:
    opened = open_data(args, create=False)
    return _export(opened, args.participant) if args.word == "export" else _add(opened, args)


def _export(opened: Opened, participant: str | None) -> int:
    """Print the journal, subject by subject, as `aegis assess` and `aegis ingest` read it."""
    with opened.db.read() as conn:
        known = participants.participants_by_subject(conn, opened.name)
        if participant is not None and participant not in known:
            raise CommandError(f"nobody is called {participant}: `aegis participants list`")
        for subject in sorted(known) if participant is None else [participant]:
            for one in journal.facts_between(conn, subject, 0):
                print(wire.write_fact(one.fact).decode())
    return 0


def _add(opened: Opened, args: Namespace) -> int:
    body = _KINDS[args.kind][2](args)
    if isinstance(body, Assessment | Finding) and not opened.study.rules.knows(body.criterion):
        raise CommandError(
            f"{body.criterion} is no term of {opened.study.table.name}; terms are written"
            " like ctcae-5.0.tremor"
        )
    outcome = enter(opened, args.participant, args.at, body, args.by)
    settle(opened)
    print("known already" if outcome.duplicate or not outcome.facts else f"known: {args.kind}")
    return 0


COMMAND = Command("facts", "enter what no feed carries", _arguments, _facts)
