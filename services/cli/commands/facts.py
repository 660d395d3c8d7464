"""What people know and feeds do not carry: facts, adjudications, the DSMB's answers."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from typing import get_args

from services.alerts.application import acknowledge
from services.cli.command import Command, CommandError
from services.cli.shared.enter_facts import by_argument, enter
from services.cli.shared.open_study import Opened, data_arguments, instant, open_data, settle
from services.runtime import wire
from services.runtime.clock import now_utc
from services.store import alerts, decisions, journal, participants, records
from services.vocabulary.alert import AlertKind
from services.vocabulary.decision import Decision
from services.vocabulary.episode import Episode
from services.vocabulary.fact import (
    Adjudication,
    Answer,
    Assessment,
    Body,
    ChronicGvhd,
    ChronicSeverity,
    Culture,
    Death,
    Determination,
    Finding,
    GvhdStage,
    Relapse,
    Verdict,
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


def _facts_arguments(parser: ArgumentParser) -> None:
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


def _adjudicate_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="its id, or how it begins")
    parser.add_argument("verdict", choices=[str(one) for one in Verdict])
    parser.add_argument("--reason", required=True)
    parser.add_argument("--grade", type=int, choices=range(1, 6), help="with regrade")
    parser.add_argument("--cause", default="", help="with attribute")
    by_argument(parser)
    data_arguments(parser)


def _adjudicate(args: Namespace) -> int:
    verdict = Verdict(args.verdict)
    if (verdict is Verdict.REGRADE) != (args.grade is not None):
        raise CommandError("--grade goes with regrade, and regrade needs it")
    if (verdict is Verdict.ATTRIBUTE) != bool(args.cause):
        raise CommandError("--cause goes with attribute, and attribute needs it")
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        record = find_record(records.latest_episodes(conn), args.record)
    content = record.content
    body = Adjudication(
        content.criterion, verdict, args.by, args.reason, now_utc(), args.grade, args.cause
    )
    enter(opened, content.participant, content.onset_at, body, args.by)
    if not settle(opened):
        print(f"known: {verdict} {content.participant} {content.term}; a running service grades it")
        return 0
    with opened.db.read() as conn:
        after = find_record(records.latest_episodes(conn), record.id)
    print(f"{content.participant} {content.term}: {after.state}, worst grade {after.content.worst}")
    return 0


def find_record(episodes: list[Episode], start: str) -> Episode:
    """Return the one record whose id begins with *start*.

    Raises:
        CommandError: There is none, or there are several.
    """
    found = [episode for episode in episodes if episode.id.startswith(start)]
    if len(found) != 1:
        count = len(found) or "no"
        raise CommandError(f"{count} records begin with {start}: `aegis records` lists them")
    return found[0]


def _determine_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("rule", metavar="RULE", help="e.g. BLINA-HSCT.S1")
    parser.add_argument("answer", choices=[str(one) for one in Answer])
    parser.add_argument("--reason", required=True)
    by_argument(parser)
    data_arguments(parser)


def _determine(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        last = {row.decision.rule: row for row in decisions.latest_decisions(conn, opened.name)}
    row = last.get(args.rule)
    if row is None:
        known = ", ".join(sorted(last)) or "none yet"
        raise CommandError(f"no decision of {args.rule} to answer; there are: {known}")
    answer = Answer(args.answer)
    decision = row.decision
    counted = tuple(one.participant for one in decision.contributors)
    body = Determination(args.rule, row.id, answer, args.by, args.reason, decision.events, counted)
    enter(opened, opened.name, now_utc(), body, args.by)
    _see(opened, args, decision)
    settle(opened)
    print(f"{args.rule}: {answer}, on {decision.events} events, by {args.by}")
    return 0


def _see(opened: Opened, args: Namespace, answered: Decision) -> None:
    """Acknowledge the rule's open alerts that say no more than *answered*: who answers saw that."""
    with opened.db.read() as conn:
        known = alerts.load_alerts(conn, opened.name)
    comment = f"{args.answer}: {args.reason}"
    for one in known:
        if one.about == args.rule and one.is_open:
            is_at_upper = one.kind is AlertKind.BOUNDARY_AT_UPPER
            most = answered.upper if is_at_upper else answered.events
            acknowledge(opened.db, one.id, args.by, comment, now_utc(), most=most)


FACTS = Command("facts", "enter what no feed carries", _facts_arguments, _facts)
ADJUDICATE = Command(
    "adjudicate", "confirm, reject, regrade or attribute a record", _adjudicate_arguments,
    _adjudicate,
)  # fmt: skip
DETERMINE = Command(
    "determine", "the DSMB's answer to a stopping rule", _determine_arguments, _determine
)
