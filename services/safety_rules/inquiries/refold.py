"""Records that other rules wrote: what these rules would make of them, and the wish that they do.

Source: docs/adr/0008-refold.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.application.decide_study import decide_rules, find_last_known_at
from services.safety_rules.domain.comparison.record_comparison import (
    RecordComparison,
    RecordDifference,
    compare_records,
)
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.inquiries.regrade import Preview, same_terms, tables
from services.safety_rules.inquiries.verify import recounted
from services.store import outbox, records, states, timers
from services.store.messages import split_into_parts
from services.store.participant_order import find_families
from services.store.session import Connection, Database
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.standing import Standing


def outdated(conn: Connection, rules: Rules) -> list[tuple[str, ...]]:
    """Return the families in which somebody's records are of other rules than *rules*."""
    study = rules.protocol.study
    of_others = [
        state.subject
        for state in states.load_states_of_other_rules(conn, rules.version)
        if state.subject != study and state.quarantined_seq is None
    ]
    return find_families(conn, of_others)


def preview(conn: Connection, rules: Rules) -> Preview:
    """Return what *rules* would make of the records that other rules wrote; nothing is written."""
    before: list[EpisodeContent] = []
    after: list[EpisodeContent] = []
    standings: dict[str, Sequence[Standing]] = {}
    for group in outdated(conn, rules):
        found = recounted(conn, rules, group)
        stored = [one for member in group for one in records.load_latest_episodes(conn, member)]
        before += [one.content for one in stored if not one.retracted]
        after += [one.content for one in found.latest if not one.retracted]
        for member in group:
            standings[member] = [one for one in found.standings if one.participant == member]
    compared = [_in_detail(one) for one in compare_records(before, after, _meant(before, rules))]
    now, then = decide_rules(conn, rules), decide_rules(conn, rules, replacements=standings)
    return Preview(
        records=tuple(one for one in compared if one.is_changed),
        unchanged=sum(not one.is_changed for one in compared),
        decisions=tuple(zip(now, then, strict=True)),
        carried=0,
        lost={},
        faults=(),
    )


def _in_detail(one: RecordComparison) -> RecordComparison:
    """Return what also tells apart what is graded alike: a record of another content is another."""
    is_other = one.difference is RecordDifference.NONE and one.current_record != one.proposed_record
    return replace(one, difference=RecordDifference.DETAILS) if is_other else one


def ask(db: Database, rules: Rules, *, by: str, reason: str) -> list[str]:
    """Let what other rules wrote be folded again by *rules*; return who was asked for.

    Workers of *rules* do it, also those that begin later. Whenever they do, all stand as *rules*
    have it since the same instant, the last at which anything was known. Who asked, and the reason,
    are in the audit trail of each participant.
    """
    with db.read() as conn:
        everybody = [member for group in outdated(conn, rules) for member in group]
        study = rules.protocol.study
        at = find_last_known_at(conn, study, records.load_latest_standings(conn, study))
    asked: list[str] = []
    for some in split_into_parts(everybody):
        while (done := _ask(db, rules, some, at, (by, reason))) is None:
            pass  # a worker was faster with one of them
        asked += done
    return asked


def _ask(
    db: Database,
    rules: Rules,
    subjects: Sequence[str],
    at: datetime | None,
    told: tuple[str, str],
) -> list[str] | None:
    """Ask for those of *subjects* that are still of other rules; None: again."""
    by, reason = told
    with db.write() as conn:
        known = states.load_states_of(conn, subjects)
        olds = [state for state in known.values() if state.is_of_other_rules(rules.version)]
        if not states.request_refold(conn, olds, actor=by, reason=reason):
            conn.rollback()
            return None
        asked = [state.subject for state in olds]
        since = {timers.REFOLD: at} if at is not None else {}
        timers.set_timers(conn, {one: {**since, **timers.load_timers(conn, one)} for one in asked})
        outbox.announce_hint(conn, asked)
    return asked


def _meant(before: Sequence[EpisodeContent], rules: Rules) -> Mapping[str, str]:
    """Return the criterion of *rules* that is meant by each that a record was graded by."""
    graded_by = {one.criterion.rpartition(".")[0] for one in before}
    meant: dict[str, str] = {}
    for name in sorted(graded_by.intersection(tables())):
        table = load_table(name)
        protocol = replace(rules.protocol, criteria=name)
        meant |= same_terms(
            Rules(protocol, table.compiled, table.terms, name, rules.measures, rules.drugs), rules
        )
    return meant
