"""Records written by other rules: the preview of their refold by these rules, and its request.

Source: docs/adr/0008-refold.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.adapters.rules_version import list_tables
from services.safety_rules.application.decide_study import decide_rules, find_last_known_at
from services.safety_rules.domain.comparison.record_comparison import (
    RecordComparison,
    RecordDifference,
    compare_records,
)
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.reports.regrade import Preview, match_terms
from services.safety_rules.reports.verify import recompute_stored_family
from services.store import outbox, records, states, timers
from services.store.bulk import split_into_parts
from services.store.participant_order import find_families
from services.store.session import Connection, Database
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.standing import Standing


def find_outdated_families(conn: Connection, rules: Rules) -> list[tuple[str, ...]]:
    """Return the families with records of other rules than *rules*."""
    study = rules.protocol.study
    subjects = [
        state.subject
        for state in states.load_states_of_other_rules(conn, rules.version)
        if state.subject != study and state.quarantined_seq is None
    ]
    return find_families(conn, subjects)


def preview_refold(conn: Connection, rules: Rules) -> Preview:
    """Return the changes that a refold by *rules* would make; nothing is written."""
    stored_records: list[EpisodeContent] = []
    recomputed_records: list[EpisodeContent] = []
    standings: dict[str, Sequence[Standing]] = {}
    for group in find_outdated_families(conn, rules):
        recomputed_family = recompute_stored_family(conn, rules, group)
        episodes = [one for member in group for one in records.load_latest_episodes(conn, member)]
        stored_records += [one.content for one in episodes if not one.retracted]
        recomputed_records += [one.content for one in recomputed_family.latest if not one.retracted]
        for member in group:
            standings[member] = [
                one for one in recomputed_family.standings if one.participant == member
            ]
    comparisons = [
        _mark_detail_changes(one)
        for one in compare_records(
            stored_records, recomputed_records, _map_criteria(stored_records, rules)
        )
    ]
    current_decisions, proposed_decisions = (
        decide_rules(conn, rules),
        decide_rules(conn, rules, replacements=standings),
    )
    return Preview(
        records=tuple(one for one in comparisons if one.is_changed),
        unchanged_count=sum(not one.is_changed for one in comparisons),
        decisions=tuple(zip(current_decisions, proposed_decisions, strict=True)),
        carried_count=0,
        lost_terms={},
        faults=(),
    )


def _mark_detail_changes(comparison: RecordComparison) -> RecordComparison:
    """Return *comparison*, as one of details when records graded alike differ otherwise."""
    is_other = (
        comparison.difference is RecordDifference.NONE
        and comparison.current_record != comparison.proposed_record
    )
    return replace(comparison, difference=RecordDifference.DETAILS) if is_other else comparison


def request_refold(db: Database, rules: Rules, *, actor: str, reason: str) -> list[str]:
    """Request that *rules* fold the records of other rules again; return the participants.

    Workers of *rules* do it, also those that begin later. Whenever they do, all standings are those
    of *rules* from the same instant on, the last at which anything was known. The actor and the
    reason are in the audit trail of each participant.
    """
    with db.read() as conn:
        members = [member for group in find_outdated_families(conn, rules) for member in group]
        study = rules.protocol.study
        known_at = find_last_known_at(conn, study, records.load_latest_standings(conn, study))
    requested_subjects: list[str] = []
    for part in split_into_parts(members):
        while (
            requested_part := _request_refold(db, rules, part, known_at, (actor, reason))
        ) is None:
            pass  # a worker was faster with one of them
        requested_subjects += requested_part
    return requested_subjects


def _request_refold(
    db: Database,
    rules: Rules,
    subjects: Sequence[str],
    known_at: datetime | None,
    request: tuple[str, str],
) -> list[str] | None:
    """Request those of *subjects* that are still of other rules; None: try again."""
    actor, reason = request
    with db.write() as conn:
        states_by_subject = states.load_states_of(conn, subjects)
        outdated_states = [
            state for state in states_by_subject.values() if state.is_of_other_rules(rules.version)
        ]
        if not states.request_refold(conn, outdated_states, actor=actor, reason=reason):
            conn.rollback()
            return None
        requested_subjects = [state.subject for state in outdated_states]
        refold_timer = {timers.REFOLD: known_at} if known_at is not None else {}
        timers.set_timers(
            conn,
            {one: {**refold_timer, **timers.load_timers(conn, one)} for one in requested_subjects},
        )
        outbox.announce_hint(conn, requested_subjects)
    return requested_subjects


def _map_criteria(contents: Sequence[EpisodeContent], rules: Rules) -> Mapping[str, str]:
    """Return the criterion of *rules* for each by which a record was graded."""
    graded_by = {one.criterion.rpartition(".")[0] for one in contents}
    criterion_map: dict[str, str] = {}
    for name in sorted(graded_by.intersection(list_tables())):
        table = load_table(name)
        protocol = replace(rules.protocol, criteria=name)
        criterion_map |= match_terms(
            Rules(protocol, table.compiled, table.terms, name, rules.measures, rules.drugs), rules
        )
    return criterion_map
