"""``aegis records`` and ``aegis rules``: what the data say now, or said then."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from services.cli.command import Command
from services.cli.commands import rules_sites
from services.cli.shared.open_study import data_arguments, instant, open_data
from services.cli.shared.rule_notes import notes
from services.cli.shared.tables import day, table, utc
from services.runtime import wire
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.application.decide_study import status
from services.safety_rules.application.past_crossings import ever_crossed
from services.safety_rules.inquiries.boundary_tables import joint
from services.store import records
from services.vocabulary.decision import Decision
from services.vocabulary.episode import Episode


def _records_arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)
    parser.add_argument("--participant", metavar="P", help="only this one's")
    parser.add_argument("--as-of", type=instant, metavar="T", help="as known then")
    parser.add_argument(
        "--canonical", action="store_true", help="sorted JSON lines of the current content"
    )
    parser.add_argument(
        "--history", action="store_true", help="every version, with ids (JSON lines)"
    )


def _records(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        if args.history:
            found = records.episode_versions(conn, args.participant)
        else:
            found = records.latest_episodes(conn, args.participant, args.as_of)
    if args.history:
        print("\n".join(wire.canonical(one) for one in found))
        return 0
    current = [one for one in found if not one.retracted]
    print("\n".join(canonical_lines(current)) if args.canonical else records_table(current))
    return 0


def canonical_lines(episodes: Sequence[Episode]) -> list[str]:
    """Return the current content of *episodes*: the same facts always give the same lines."""
    return sorted(wire.canonical(one.content) for one in episodes if not one.retracted)


def records_table(episodes: Sequence[Episode]) -> str:
    """Return one line for each record."""
    rows = [
        (
            e.content.participant,
            e.content.term,
            e.content.worst,
            e.content.current if e.content.resolved_at is None else "-",
            day(e.content.transplant_day),
            day(e.content.treatment_day),
            utc(e.content.onset_at),
            utc(e.content.resolved_at),
            _says(e),
            e.id[:8],
        )
        for e in sorted(episodes, key=lambda e: (e.content.participant, e.content.onset_at, e.id))
    ]
    head = (
        "participant", "term", "worst", "now", "transplant day", "treatment day",
        "onset (UTC)", "resolved (UTC)", "state", "record",
    )  # fmt: skip
    return table(head, rows)


def _says(episode: Episode) -> str:
    content = episode.content
    words = [str(content.state)]
    words += ["possible"] if content.possible else []
    words += ["provisional"] if content.provisional else []
    words += ["before exposure"] if content.before_exposure else []
    return ", ".join(words)


def _rules_arguments(parser: ArgumentParser) -> None:
    words = parser.add_subparsers(dest="word", required=True, metavar="status|sites")
    word = words.add_parser("status", help="what every stopping rule says")
    data_arguments(word)
    word.add_argument("--as-of", type=instant, metavar="T", help="of what was known then")
    word.add_argument("--json", action="store_true", help="everything, as JSON lines")
    word.set_defaults(act=_status)
    word = words.add_parser("sites", help=rules_sites.PURPOSE, description=rules_sites.PURPOSE)
    rules_sites.arguments(word)
    word.set_defaults(act=rules_sites.compare_sites)


def _rules(args: Namespace) -> int:
    return int(args.act(args))


def _status(args: Namespace) -> int:
    opened = open_data(args, create=False)
    with opened.db.read() as conn:
        decisions = status(conn, opened.study.rules, args.as_of)
        ever = ever_crossed(conn, opened.study.rules, args.as_of)
    if args.json:
        print("\n".join(json_line(decision, ever[decision.rule]) for decision in decisions))
    elif decisions:
        print(rules_table(decisions, ever, args.as_of))
        print(together(opened.study.study))
    else:
        print("Nothing was known of anybody.")
    return 0


def together(study: Study) -> str:
    """Return how often the rules that alert jointly stop a trial that is safe."""
    alerting = [study.designs[rule.id] for rule in study.protocol.rules if not rule.watch_only]
    if not alerting:
        return "No rule alerts."
    of = joint(alerting, (0.0,), trials=10_000)
    return (
        f"The rules that alert jointly stop a safe trial with probability {of.simulated[0][1]:.3f}"
        f" ({of.trials:,} simulated, seed {of.seed}; exact when independent {of.independent:.3f})."
    )


def json_line(decision: Decision, ever: datetime | None) -> str:
    """Return all that is known of one rule, with whether it is and since when it ever was crossed.

    *ever* is an instant of knowledge; that of the decision's ``crossed_since`` is clinical.
    """
    crossed = {"currently_crossed": decision.crossed_since is not None, "ever_crossed_since": ever}
    return wire.canonical(asdict(decision) | crossed)


def rules_table(
    decisions: Sequence[Decision],
    ever: Mapping[str, datetime | None],
    as_of: datetime | None = None,
) -> str:
    """Return one line for each rule, and what the numbers are of.

    Args:
        decisions: Not empty.
        ever: Since when each rule, by id, was first at its boundary.
        as_of: What was known then; None: now.
    """
    rows = [
        (
            d.rule,
            d.title,
            d.events,
            d.confirmed,
            d.upper,
            d.evaluable,
            f"{d.ess:.1f}",
            d.boundary if d.boundary <= d.n else "-",
            d.events_left,
            _certainty(d),
            f"{d.predictive:.0%}",
            utc(ever.get(d.rule)),
            ("(watch only) " if d.watch_only else "") + d.signal,
        )
        for d in decisions
    ]
    head = (
        "rule", "title", "events", "confirmed", "at most", "evaluable", "effective", "boundary",
        "left", "certain", "by n", "ever reached (UTC)", "says",
    )  # fmt: skip
    known = f"as known at {utc(as_of)} UTC" if as_of else "as known now"
    seen = max((d.data_to for d in decisions if d.data_to), default=None)
    foot = (
        f"{decisions[0].protocol}; data to {utc(seen)} UTC, {known}."
        " by n: probability of reaching it by n;"
        " ever reached: when it was first known to be, also if it no longer is."
    )
    more = [f"{d.rule}: {note}." for d in decisions for note in notes(d)]
    return "\n".join([table(head, rows), *more, foot])


def _certainty(decision: Decision) -> str:
    if decision.certain:
        return "certain"
    return "possible" if decision.possible else "no"


RECORDS = Command("records", "the graded adverse event records", _records_arguments, _records)
RULES = Command("rules", "the stopping rules, live", _rules_arguments, _rules)
