"""Proof that what is stored is what the journal says: everything is folded again and compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.runtime import wire
from services.safety_rules.application.decide_study import find_outdated_decisions
from services.safety_rules.application.past_crossings import find_missing_alerts
from services.safety_rules.application.recompute import RecomputedFamily, recompute_family
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import journal, participants, records, states
from services.store.participant_order import find_families
from services.store.session import Connection
from services.store.snapshots import Look
from services.vocabulary.episode import Episode

_FIRST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something stored that the facts do not say, or the other way round."""

    participant: str
    problem: str


def mismatches(conn: Connection, rules: Rules, *, history: bool) -> Iterator[Mismatch]:
    """Yield where the records, standings and decisions are not what the journal says.

    Args:
        conn: Of one `Database.read`, so that all tables are of one state.
        rules: The running rules.
        history: Compare every version too, not only where they end. What other rules wrote is
            passed over: it says what was known and thought then; see `aegis refold`.
    """
    yield from of_participants(lambda: conn, rules, history=history)
    yield from of_decisions(conn, rules)
    yield from never_told(conn, rules)


def of_participants(look: Look, rules: Rules, *, history: bool) -> Iterator[Mismatch]:
    """Yield where records and standings are not what the journal says, family by family.

    Each family is compared as it is when its turn comes; see `mismatches`.
    """
    study = rules.protocol.study
    done: set[tuple[str, ...]] = set()
    for subject in [p for p in participants.load_participants(look(), study) if p != study]:
        conn = look()
        (group,) = find_families(conn, [subject])
        if group in done:
            continue
        if len(group) > 1:
            done.add(group)
        yield from _of_family(conn, rules, group, history=history)


def _of_family(
    conn: Connection, rules: Rules, group: Sequence[str], *, history: bool
) -> Iterator[Mismatch]:
    folded = states.load_states_of(conn, group).values()
    waiting = [state.subject for state in folded if state.quarantined_seq is not None]
    if waiting:
        yield from (Mismatch(m, "is quarantined: see `aegis retry`") for m in waiting)
    elif not any(state.is_of_other_rules(rules.version) for state in folded):
        yield from _compared(conn, recounted(conn, rules, group), history=history)


def recounted(conn: Connection, rules: Rules, group: Sequence[str]) -> RecomputedFamily:
    """Return a family, folded as far as its stored records go: no facts or timers beyond them."""
    through = [states.load_state(conn, member) for member in group]
    known = [
        one
        for state in through
        for one in journal.load_facts_between(conn, state.subject, 0, state.folded_through)
    ]
    stood = [
        row for member in group for row in records.load_participant_standing_versions(conn, member)
    ]
    until = max((row.known_at for row in stood), default=_FIRST)
    return recompute_family(rules, group, known, until)


def _compared(conn: Connection, found: RecomputedFamily, *, history: bool) -> Iterator[Mismatch]:
    for member in found.members:
        stored = records.load_latest_episodes(conn, member)
        again = [e for e in found.latest if e.content.participant == member]
        if _says(stored) != _says(again):
            yield Mismatch(member, "records are not what the facts say")
        standings = [row.standing for row in records.load_standings(conn, member)]
        if standings != [one for one in found.standings if one.participant == member]:
            yield Mismatch(member, "standings are not what the facts say")
        if history and not _same_history(conn, member, found):
            yield Mismatch(member, "versions are not those that a replay makes")


def _same_history(conn: Connection, member: str, found: RecomputedFamily) -> bool:
    stored = records.load_episode_versions(conn, member)
    again = [e for e in found.versions if e.content.participant == member]
    versions = {e.rules_version for e in again}
    if any(one.rules_version not in versions for one in stored):
        return True
    stood = [
        (r.standing, r.known_at, r.seq)
        for r in records.load_participant_standing_versions(conn, member)
    ]
    replayed = [(s.standing, s.known_at, s.seq) for s in found.standing_changes]
    mine = [one for one in replayed if one[0].participant == member]
    return _lines(stored) == _lines(again) and sorted(map(wire.write_canonical, stood)) == sorted(
        map(wire.write_canonical, mine)
    )


def _says(episodes: Sequence[Episode]) -> list[str]:
    return sorted(wire.write_canonical(one.content) for one in episodes if not one.retracted)


def _lines(episodes: Sequence[Episode]) -> list[str]:
    return sorted(map(wire.write_canonical, episodes))


def of_decisions(conn: Connection, rules: Rules) -> Iterator[Mismatch]:
    """Yield rules whose last recorded decision is not what they say now."""
    if journal.count_unhandled(conn):
        return
    for decision in find_outdated_decisions(conn, rules):
        yield Mismatch(decision.rule, "the last decision is not what the standings say")


def never_told(
    conn: Connection, rules: Rules, before: datetime | None = None
) -> Iterator[Mismatch]:
    """Yield rules that were at their boundary, at any state of knowledge, unknown to everybody.

    What was known at *before* or later is left out (None: nothing is): a running service looks back
    once a day.
    """
    for alert in find_missing_alerts(conn, rules) or ():
        if before is not None and alert.opened_at >= before:
            continue
        since = f"{alert.opened_at:%Y-%m-%d %H:%M:%S} UTC"
        yield Mismatch(
            alert.about,
            f"its boundary was reached with what was known at {since}, and nobody was told:"
            " `aegis run` tells it",
        )
