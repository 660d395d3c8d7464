"""Decisions of stopping rules, append-only: the record of what people were told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Select, and_, func, select, update

from services.runtime import wire
from services.runtime.canonical_json import digest_canonical, write_canonical
from services.store import audit
from services.store.bulk import insert_if_new
from services.store.tables import decision, study_state
from services.vocabulary.decision import Decision

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:aegis:decision")


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A decision: version *version* of its rule, made at *made_at* by the machine's clock."""

    id: str
    version: int
    made_at: datetime
    decision: Decision


@dataclass(frozen=True, slots=True)
class StudyState:
    """The optimistic lock of the study step; version 0 before the first."""

    study: str
    version: int


class LastDecisions:
    """The last decision of each rule of a study, read again only after another study step."""

    def __init__(self) -> None:
        """Know none yet."""
        self._state: StudyState | None = None
        self._decisions: Mapping[str, Decision] = {}

    def load_decisions(self, conn: Connection, state: StudyState) -> Mapping[str, Decision]:
        """Return the last decisions, by rule; *state* is that of the study on *conn*."""
        if state != self._state:
            self._decisions = load_decisions_by_rule(conn, state.study)
            self._state = state
        return self._decisions


def append_decision(conn: Connection, content: Decision, made_at: datetime) -> DecisionRow:
    """Append *content* unless it equals the last decision of its rule; return its row."""
    table = decision.c
    of_rule = and_(table.study == content.study, table.rule == content.rule)
    query = select(table.id, table.version, table.made_at, table.payload).where(of_rule)
    last = conn.execute(query.order_by(table.version.desc()).limit(1)).one_or_none()
    payload = write_canonical(content)
    if last is not None and last.payload == payload:
        return DecisionRow(last.id, last.version, last.made_at, content)
    version = 1 if last is None else last.version + 1
    row = {
        "id": _make_decision_id(conn, content, version),
        "study": content.study,
        "rule": content.rule,
        "version": version,
        "made_at": made_at,
        "known_at": content.as_of,
        "signal": content.signal.value,
        "payload": payload,
    }
    audit.insert_audited(conn, decision, [row])
    return DecisionRow(str(row["id"]), version, made_at, content)


def _make_decision_id(conn: Connection, content: Decision, version: int) -> str:
    """Return the uuid5 of *content*, and of *version* when an earlier decision says the same."""
    digest = digest_canonical(content)
    first = str(uuid5(_NAMESPACE, digest))
    is_taken = conn.scalar(select(decision.c.id).where(decision.c.id == first)) is not None
    return str(uuid5(_NAMESPACE, f"{digest}|{version}")) if is_taken else first


def load_latest_decisions(
    conn: Connection, study: str, as_of: datetime | None = None
) -> list[DecisionRow]:
    """Return the last decision of each rule of *study*, as made by *as_of*."""
    table = decision.c
    newest = select(table.rule, func.max(table.version).label("version"))
    newest = newest.where(table.study == study).group_by(table.rule)
    if as_of is not None:
        newest = newest.where(table.made_at <= as_of)
    last = newest.subquery()
    is_last = and_(table.rule == last.c.rule, table.version == last.c.version)
    return _load_rows(conn, _select_of_study(study).join(last, is_last))


def load_decisions_by_rule(conn: Connection, study: str) -> Mapping[str, Decision]:
    """Return the last decision of each rule of *study*, by the id of the rule."""
    return {row.decision.rule: row.decision for row in load_latest_decisions(conn, study)}


def load_decision_history(
    conn: Connection, study: str, rule: str | None = None
) -> list[DecisionRow]:
    """Return every decision of *study*, or of one *rule* of it, in the order they were made."""
    query = _select_of_study(study)
    return _load_rows(conn, query if rule is None else query.where(decision.c.rule == rule))


def load_study_state(conn: Connection, study: str) -> StudyState:
    """Return the state of *study*; version 0 before its first step."""
    query = select(study_state.c.version).where(study_state.c.study == study)
    return StudyState(study, conn.scalar(query) or 0)


def is_at_state(conn: Connection, state: StudyState) -> bool:
    """Return True when the study is still at *state*, after waiting for a concurrent step."""
    table = study_state.c
    query = select(table.version).where(table.study == state.study).with_for_update()
    return (conn.scalar(query) or 0) == state.version


def advance_study(conn: Connection, state: StudyState, cut: Mapping[str, int]) -> bool:
    """Advance the study from *state* to its next version, at *cut*.

    Returns:
        False when a concurrent step won: the caller rolls back and reads again.
    """
    row = {"study": state.study, "version": state.version + 1, "cut": write_canonical(cut)}
    if state.version == 0:
        if not insert_if_new(conn, study_state, [row]):
            return False
        audit.record_rows(conn, study_state, [row])
        return True
    table = study_state.c
    result = conn.execute(
        update(study_state)
        .where(table.study == state.study, table.version == state.version)
        .values(row)
    )
    if result.rowcount == 1:
        audit.record_rows(conn, study_state, [row], action=audit.CHANGE)
    return result.rowcount == 1


def _select_of_study(study: str) -> Select[tuple[str, int, datetime, str]]:
    table = decision.c
    query = select(table.id, table.version, table.made_at, table.payload)
    return query.where(table.study == study)


@lru_cache(maxsize=64)
def _read_decision(payload: str) -> Decision:
    """Return the decision in *payload*: the last of each rule is read at every look."""
    return wire.read_decision(payload)


def _load_rows(
    conn: Connection, query: Select[tuple[str, int, datetime, str]]
) -> list[DecisionRow]:
    ordered_query = query.order_by(decision.c.rule, decision.c.version)
    return [
        DecisionRow(row.id, row.version, row.made_at, _read_decision(row.payload))
        for row in conn.execute(ordered_query)
    ]
