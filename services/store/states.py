"""The folding state of each participant: position in the journal and optimistic lock."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, update

from services.store import audit
from services.store.bulk import insert_if_new, match_any
from services.store.rules_aliases import list_columns, select_rules_version
from services.store.tables import participant_state


@dataclass(frozen=True, slots=True)
class StateRow:
    """The folding state of a participant.

    Args:
        subject: Pseudonym.
        folded_through: The last seq whose effects are recorded.
        version: Counts the steps; 0 before the first.
        rules_version: Of the step that wrote it.
        digest: Of the fold's content; empty when the running rules have to fold it again.
        quarantined_seq: The seq at which folding failed; None when it did not.
        error: Class of the error, without identifiers.
    """

    subject: str
    folded_through: int = 0
    version: int = 0
    rules_version: str = ""
    digest: str = ""
    quarantined_seq: int | None = None
    error: str = ""

    def is_of_other_rules(self, rules_version: str) -> bool:
        """Return True when rules other than *rules_version* wrote it."""
        return self.rules_version not in ("", rules_version)


def load_state(conn: Connection, subject: str) -> StateRow:
    """Return the state of *subject*; version 0 when it was never folded."""
    return load_states_of(conn, [subject])[subject]


def load_states_of(conn: Connection, subjects: Sequence[str]) -> Mapping[str, StateRow]:
    """Return the state of each of *subjects*; version 0 of those never folded."""
    states = {subject: StateRow(subject) for subject in subjects}
    for is_wanted in match_any(conn, participant_state.c.subject, states):
        query = select(*list_columns(participant_state)).where(is_wanted)
        states |= {row["subject"]: StateRow(**row) for row in conn.execute(query).mappings()}
    return states


def load_states(conn: Connection) -> list[StateRow]:
    """Return every state, in the order of pseudonyms."""
    query = select(*list_columns(participant_state)).order_by(participant_state.c.subject)
    return [StateRow(**row) for row in conn.execute(query).mappings()]


def load_versions(conn: Connection) -> Mapping[str, int]:
    """Return the version of every state, by participant: it is equal while nobody steps there."""
    state = participant_state.c
    return {row.subject: row.version for row in conn.execute(select(state.subject, state.version))}


def count_steps(conn: Connection) -> int:
    """Return the number of steps of all participants: it is equal while nobody steps."""
    return int(conn.scalar(select(func.coalesce(func.sum(participant_state.c.version), 0))) or 0)


def load_states_of_other_rules(conn: Connection, rules_version: str) -> list[StateRow]:
    """Return the states that rules other than *rules_version* wrote, in the order of pseudonyms."""
    query = _select_of_other_rules(rules_version).order_by(participant_state.c.subject)
    return [StateRow(**row) for row in conn.execute(query).mappings()]


def count_states_of_other_rules(conn: Connection, rules_version: str, study: str) -> int:
    """Return the number of states of other rules than *rules_version*, without that of *study*."""
    query = _select_of_other_rules(rules_version).where(participant_state.c.subject != study)
    return int(conn.scalar(select(func.count()).select_from(query.subquery())) or 0)


def find_subjects_to_refold(conn: Connection, rules_version: str, limit: int) -> list[str]:
    """Return up to *limit* subjects that are still to be folded again."""
    state = participant_state.c
    query = _select_of_other_rules(rules_version).with_only_columns(state.subject)
    query = query.where(state.digest == "", state.quarantined_seq.is_(None))
    return list(conn.scalars(query.order_by(state.subject).limit(limit)))


def is_refolding(conn: Connection, rules_version: str, study: str) -> bool:
    """Return True while a participant (not *study* itself) is still to be folded again."""
    parameters = {"study": study, "rules_version": rules_version}
    return conn.scalar(_select_to_refold(), parameters) is not None


@cache  # a statement that is made once is read by its library once
def _select_to_refold() -> Select[tuple[str]]:
    state, version = participant_state.c, select_rules_version(participant_state)
    waits = (state.digest == "") & state.quarantined_seq.is_(None)
    is_of_other_rules = (version != "") & (version != bindparam("rules_version"))
    is_participant = state.subject != bindparam("study")
    return select(state.subject).where(waits, is_participant, is_of_other_rules).limit(1)


def request_refold(
    conn: Connection, states: Sequence[StateRow], *, actor: str, reason: str
) -> bool:
    """Mark *states* to be folded again by the running rules; audit *actor* and *reason*.

    Returns:
        False when one of them has changed since: the caller rolls back and reloads.
    """
    in_order = sorted(states, key=lambda state: state.subject)
    rows = [asdict(replace(old, version=old.version + 1, digest="")) for old in in_order]
    if not _replace_rows(conn, rows):
        return False
    audit.record_rows(
        conn, participant_state, rows, action=audit.CHANGE, actor=actor, detail=f"refold: {reason}"
    )
    return True


def advance(conn: Connection, current: StateRow, successor: StateRow) -> bool:
    """Replace *current* by *successor*, which gets the next version; see `advance_all`."""
    return advance_all(conn, [(current, successor)])


def advance_all(conn: Connection, moves: Sequence[tuple[StateRow, StateRow]]) -> bool:
    """Replace each old state by a new one, which gets the next version; rows in id order.

    Returns:
        False when one of them has changed since: the caller rolls back, drops its cache and
        reloads.
    """
    in_order = sorted(moves, key=lambda move: move[0].subject)
    first_states = [asdict(replace(new, version=1)) for old, new in in_order if not old.version]
    replacements = [
        asdict(replace(new, version=old.version + 1)) for old, new in in_order if old.version
    ]
    if not (
        insert_if_new(conn, participant_state, first_states) == len(first_states)
        and _replace_rows(conn, replacements)
    ):
        return False
    audit.record_rows(conn, participant_state, first_states)
    audit.record_rows(conn, participant_state, replacements, action=audit.CHANGE)
    return True


def quarantine_state(conn: Connection, state: StateRow, seq: int, error: str) -> bool:
    """Quarantine *state* at *seq* because of *error*; return False when it has changed since."""
    return advance(conn, state, replace(state, quarantined_seq=seq, error=error))


def release_state(conn: Connection, state: StateRow) -> bool:
    """End the quarantine of *state*; return False when it has changed since."""
    return advance(conn, state, replace(state, quarantined_seq=None, error=""))


def load_quarantined(conn: Connection) -> list[StateRow]:
    """Return the quarantined states."""
    return [state for state in load_states(conn) if state.quarantined_seq is not None]


def _select_of_other_rules(rules_version: str) -> Select[Any]:
    return select(*list_columns(participant_state)).where(
        select_rules_version(participant_state).not_in(["", rules_version])
    )


def _replace_rows(conn: Connection, rows: Sequence[Mapping[str, object]]) -> bool:
    """Update *rows*, each from its previous version; return False when one has changed since."""
    if not rows:
        return True
    state = participant_state.c
    fence = (state.subject == bindparam("of")) & (state.version == bindparam("version") - 1)
    values: dict[str, object] = {name: bindparam(name) for name in rows[0] if name != "subject"}
    parameters = [{**row, "of": row["subject"]} for row in rows]
    statement = update(participant_state).where(fence).values(values)
    return conn.execute(statement, parameters).rowcount == len(rows)
