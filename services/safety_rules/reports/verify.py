"""Proof that the stored records follow from the journal: all is folded again and compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.runtime.canonical_json import write_canonical
from services.safety_rules.application.decide_study import find_outdated_decisions
from services.safety_rules.application.missing_alerts import find_missing_alerts
from services.safety_rules.application.recompute import RecomputedFamily, recompute_family
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import journal, participant_queries, participants, records, states
from services.store.participant_order import find_families
from services.store.session import Connection
from services.store.snapshots import ReadSnapshot
from services.vocabulary.episode import Episode

_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between the store and the journal."""

    participant: str
    problem: str


def find_all_mismatches(conn: Connection, rules: Rules, *, history: bool) -> Iterator[Mismatch]:
    """Yield the differences of records, standings, decisions and notifications from the journal.

    Args:
        conn: Of one `Database.read`, so that all tables are of one state.
        rules: The running rules.
        history: Compare every version too, not only where they end. Versions of other
            rules are passed over: they say what was known and decided then; see `aegis refold`.
    """
    yield from check_participants(lambda: conn, rules, history=history)
    yield from check_decisions(conn, rules)
    yield from find_untold_crossings(conn, rules)


def check_participants(look: ReadSnapshot, rules: Rules, *, history: bool) -> Iterator[Mismatch]:
    """Yield the differences of records and standings from the journal, family by family.

    Each family is compared as it is when its turn comes; see `find_all_mismatches`.
    """
    study = rules.protocol.study
    checked_groups: set[tuple[str, ...]] = set()
    for subject in [p for p in participants.load_participants(look(), study) if p != study]:
        conn = look()
        (group,) = find_families(conn, [subject])
        if group in checked_groups:
            continue
        if len(group) > 1:
            checked_groups.add(group)
        yield from _check_family(conn, rules, group, history=history)


def _check_family(
    conn: Connection, rules: Rules, group: Sequence[str], *, history: bool
) -> Iterator[Mismatch]:
    family_states = states.load_states_of(conn, group).values()
    quarantined = [state.subject for state in family_states if state.quarantined_seq is not None]
    if quarantined:
        yield from (Mismatch(m, "is quarantined: see `aegis retry`") for m in quarantined)
    elif not any(state.is_of_other_rules(rules.version) for state in family_states):
        recomputed_family = recompute_stored_family(conn, rules, group)
        yield from _compare_family(conn, recomputed_family, history=history)
        yield from _compare_queries(conn, rules, recomputed_family)


def recompute_stored_family(
    conn: Connection, rules: Rules, group: Sequence[str]
) -> RecomputedFamily:
    """Return a family folded as far as its stored records: no facts or timers beyond them."""
    family_states = [states.load_state(conn, member) for member in group]
    entries = [
        one
        for state in family_states
        for one in journal.load_facts_between(conn, state.subject, 0, state.folded_through)
    ]
    standing_rows = [
        row for member in group for row in records.load_participant_standing_versions(conn, member)
    ]
    end = max((row.known_at for row in standing_rows), default=_FIRST)
    return recompute_family(rules, group, entries, end)


def _compare_family(
    conn: Connection, recomputed_family: RecomputedFamily, *, history: bool
) -> Iterator[Mismatch]:
    for member in recomputed_family.members:
        stored_episodes = records.load_latest_episodes(conn, member)
        recomputed_episodes = [
            e for e in recomputed_family.latest if e.content.participant == member
        ]
        if _write_contents(stored_episodes) != _write_contents(recomputed_episodes):
            yield Mismatch(member, "records are not what the facts say")
        standings = [row.standing for row in records.load_standings(conn, [member])]
        if standings != [one for one in recomputed_family.standings if one.participant == member]:
            yield Mismatch(member, "standings are not what the facts say")
        if history and not _has_same_history(conn, member, recomputed_family):
            yield Mismatch(member, "versions are not those that a replay makes")


def _compare_queries(
    conn: Connection, rules: Rules, recomputed_family: RecomputedFamily
) -> Iterator[Mismatch]:
    """Yield the members whose stored data queries differ; older ones than the records are not used.

    A member's queries rest on the facts of all.
    """
    members = recomputed_family.members
    stored_queries = participant_queries.load_queries(conn, members)
    family_states = states.load_states_of(conn, members)
    positions = {
        row.subject: (row.folded_through, row.rules_version) for row in stored_queries.values()
    }
    if positions != {one: (family_states[one].folded_through, rules.version) for one in members}:
        return
    for member in members:
        if stored_queries[member].periods != recomputed_family.query_periods[member]:
            yield Mismatch(member, "data queries are not what the facts say")


def _has_same_history(conn: Connection, member: str, recomputed_family: RecomputedFamily) -> bool:
    stored_versions = records.load_episode_versions(conn, member)
    recomputed_versions = [e for e in recomputed_family.versions if e.content.participant == member]
    versions = {e.rules_version for e in recomputed_versions}
    if any(one.rules_version not in versions for one in stored_versions):
        return True
    stored_standings = [
        (r.standing, r.known_at, r.seq)
        for r in records.load_participant_standing_versions(conn, member)
    ]
    recomputed_standings = [
        (s.standing, s.known_at, s.seq) for s in recomputed_family.standing_changes
    ]
    member_standings = [one for one in recomputed_standings if one[0].participant == member]
    return _write_versions(stored_versions) == _write_versions(recomputed_versions) and sorted(
        map(write_canonical, stored_standings)
    ) == sorted(map(write_canonical, member_standings))


def _write_contents(episodes: Sequence[Episode]) -> list[str]:
    return sorted(write_canonical(one.content) for one in episodes if not one.retracted)


def _write_versions(episodes: Sequence[Episode]) -> list[str]:
    return sorted(map(write_canonical, episodes))


def check_decisions(conn: Connection, rules: Rules) -> Iterator[Mismatch]:
    """Yield the rules whose last recorded decision is not that of now."""
    if journal.count_unhandled(conn):
        return
    for decision in find_outdated_decisions(conn, rules):
        yield Mismatch(decision.rule, "the last decision is not what the standings say")


def find_untold_crossings(
    conn: Connection, rules: Rules, end: datetime | None = None
) -> Iterator[Mismatch]:
    """Yield the rules that were at their boundary, at any state of knowledge, without an alert.

    Crossings known at *end* or later are left out (None: none is): a running service looks back
    once a day.
    """
    for alert in find_missing_alerts(conn, rules) or ():
        if end is not None and alert.opened_at >= end:
            continue
        crossed_at = f"{alert.opened_at:%Y-%m-%d %H:%M:%S} UTC"
        yield Mismatch(
            alert.about,
            f"its boundary was reached with what was known at {crossed_at}, and nobody was told:"
            " `aegis run` tells it",
        )
