"""The journal: raw messages, their facts, and the order in which they became known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from services.runtime import wire
from services.store import audit, outbox, vault
from services.store.bulk import insert_rows, match_any
from services.store.installation_keys import choose_encryption_key
from services.store.messages import (
    RawMessage,
    find_payload_hashes,
    load_message,
    make_raw_row,
)
from services.store.parking import ParkedRow, park_items
from services.store.participant_order import (
    JOINING_KINDS,
    LockedRow,
    compute_known_at,
    join_families,
    list_named_pairs,
    lock_participants,
    write_counters,
)
from services.store.tables import fact as facts_table
from services.store.tables import participant, participant_state, raw_message
from services.vocabulary.fact import Fact, JournalEntry

__all__ = ["ParkedRow", "RawMessage", "compute_known_at", "find_payload_hashes", "load_message"]


_FOLDED_THROUGH = func.coalesce(participant_state.c.folded_through, 0)


class UnknownParticipantError(LookupError):
    """The subject of a fact is not in the store; the message names only the pseudonym."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with the facts and parked items read from it."""

    message: RawMessage
    facts: tuple[Fact, ...]
    parked: tuple[ParkedRow, ...] = ()


def append_arrivals(conn: Connection, keys: vault.Keys, arrivals: Sequence[Arrival]) -> None:
    """Append *arrivals* to the journal in their order, within the transaction of *conn*.

    Facts get the next seq of their subject; received_at never decreases along them.

    Raises:
        UnknownParticipantError: A fact's subject was never added.
        VaultError: No key to encrypt with is here.
        sqlalchemy.exc.IntegrityError: A message or a fact is stored already.
    """
    if not arrivals:
        return
    key_id = choose_encryption_key(conn, keys)
    messages = [make_raw_row(keys, key_id, arrival.message) for arrival in arrivals]
    audit.insert_audited(conn, raw_message, messages)
    rows = _number_facts(
        conn, [(a.message.id, a.message.received_at, f) for a in arrivals for f in a.facts]
    )
    audit.insert_audited(conn, facts_table, rows)
    outbox.announce_facts(conn, rows)
    park_items(conn, [parked for arrival in arrivals for parked in arrival.parked])


def append_facts(
    conn: Connection, message_id: str, facts: Sequence[Fact], received_at: datetime
) -> None:
    """Append *facts* of a message that is stored already, known since *received_at*.

    Raises:
        UnknownParticipantError: A fact's subject was never added.
        sqlalchemy.exc.IntegrityError: A fact is stored already.
    """
    if not facts:
        return
    query = select(facts_table).where(facts_table.c.message == message_id)
    earlier = [dict(row) for row in conn.execute(query).mappings()]
    rows = _number_facts(conn, [(message_id, received_at, fact) for fact in facts])
    insert_rows(conn, facts_table, rows)
    audit.record_rows(conn, facts_table, [*earlier, *rows], action=audit.CHANGE)
    outbox.announce_facts(conn, rows)


def load_facts_between(
    conn: Connection, subject: str, after_seq: int, upto_seq: int | None = None
) -> list[JournalEntry]:
    """Return the facts of *subject* with after_seq < seq <= upto_seq (None: all), in order."""
    table = facts_table.c
    upto = [] if upto_seq is None else [table.seq <= upto_seq]
    return _load_facts(conn, table.subject == subject, table.seq > after_seq, *upto)


def load_unfolded_facts(conn: Connection, subjects: Sequence[str]) -> list[JournalEntry]:
    """Return the facts of *subjects* that are not folded yet, in order."""
    return _load_facts_beside_states(conn, subjects, facts_table.c.seq > _FOLDED_THROUGH)


def load_folded_facts(conn: Connection, subjects: Sequence[str]) -> list[JournalEntry]:
    """Return the facts of *subjects* that are folded already, in order."""
    return _load_facts_beside_states(conn, subjects, facts_table.c.seq <= _FOLDED_THROUGH)


def load_facts_as_of(conn: Connection, subject: str, as_of: datetime) -> list[JournalEntry]:
    """Return the facts of *subject* that were known at *as_of*, in order."""
    table = facts_table.c
    return _load_facts(conn, table.subject == subject, table.received_at <= as_of)


def load_facts_of_message(conn: Connection, message_id: str) -> list[JournalEntry]:
    """Return the facts of a message, in order."""
    return _load_facts(conn, facts_table.c.message == message_id)


def load_facts_of_kind(
    conn: Connection, kind: str, subject: str | None = None
) -> list[JournalEntry]:
    """Return the facts of one kind (e.g. ``merge``), of everybody or of *subject*, in order."""
    of_subject = [] if subject is None else [facts_table.c.subject == subject]
    return _load_facts(conn, facts_table.c.kind == kind, *of_subject)


def load_facts_of_kinds(
    conn: Connection, kinds: Sequence[str], subjects: Sequence[str] | None = None
) -> list[JournalEntry]:
    """Return the facts of *kinds*, of everybody or of *subjects*, in order."""
    of_subjects = [] if subjects is None else [facts_table.c.subject.in_(subjects)]
    return _load_facts(conn, facts_table.c.kind.in_(kinds), *of_subjects)


def load_facts_of_ids(conn: Connection, ids: Sequence[str]) -> list[JournalEntry]:
    """Return the facts of *ids*, in order; those that are not there are left out."""
    return _load_facts(conn, facts_table.c.id.in_(ids)) if ids else []


def load_observations(conn: Connection, measures: Iterable[str]) -> list[JournalEntry]:
    """Return the observations of *measures*, of everybody, in order."""
    table = facts_table.c
    # without its first quotation mark: a search stops at each of them, and JSON is full of them
    names = (f'measure":"{measure}"' for measure in measures)
    is_read = or_(*(table.payload.contains(name, autoescape=True) for name in names))
    return _load_facts(conn, table.kind == "observation", is_read)


def load_joining_facts(conn: Connection) -> list[JournalEntry]:
    """Return the merges and moves of everybody, in order."""
    return _load_facts(conn, facts_table.c.kind.in_(JOINING_KINDS))


def find_known_fact_ids(conn: Connection, ids: Sequence[str]) -> frozenset[str]:
    """Return those of *ids* that are facts of the journal."""
    known_ids: set[str] = set()
    for is_known in match_any(conn, facts_table.c.id, ids):
        known_ids.update(conn.scalars(select(facts_table.c.id).where(is_known)))
    return frozenset(known_ids)


def find_lagging_subjects(conn: Connection, limit: int) -> list[str]:
    """Return up to *limit* subjects, not quarantined, that have facts not folded yet."""
    return list(find_lagging_progress(conn, limit))


def find_lagging_progress(conn: Connection, limit: int) -> Mapping[str, int]:
    """Return folded_through of up to *limit* subjects, not quarantined, that have later facts."""
    state = participant_state.c
    query = (
        select(participant.c.subject, _FOLDED_THROUGH.label("through"))
        .outerjoin(participant_state, state.subject == participant.c.subject)
        .where(participant.c.last_seq > _FOLDED_THROUGH)
        .where(state.quarantined_seq.is_(None))
        .order_by(participant.c.last_received_at, participant.c.subject)
        .limit(limit)
    )
    return {row.subject: row.through for row in conn.execute(query)}


def count_unhandled(conn: Connection) -> int:
    """Return the number of facts not folded yet, those of quarantined participants included."""
    state = participant_state.c
    lag = participant.c.last_seq - _FOLDED_THROUGH
    query = select(func.coalesce(func.sum(lag), 0)).select_from(
        participant.outerjoin(participant_state, state.subject == participant.c.subject)
    )
    return int(conn.scalar(query) or 0)


def count_facts(conn: Connection) -> int:
    """Return the number of facts in the journal."""
    return int(conn.scalar(select(func.count()).select_from(facts_table)) or 0)


def _number_facts(
    conn: Connection, arrivals: Sequence[tuple[str, datetime, Fact]]
) -> list[dict[str, object]]:
    """Return rows of *arrivals* (message, received_at, fact) with their seq and time of knowledge.

    Each message becomes known later than the one before it about any member of the family. So the
    journal gives one order to the facts of merged participants, and no fact becomes known before
    a timer that was already applied.
    """
    if not arrivals:
        return []
    facts = [fact for _, _, fact in arrivals]
    pairs = list_named_pairs(facts)
    subjects = {fact.subject for fact in facts}
    locked_rows = lock_participants(conn, subjects.union(*pairs))
    unknown = subjects - locked_rows.keys()
    if unknown:
        raise UnknownParticipantError(
            f"{len(unknown)} not added to the store, the first is {min(unknown)}; add them first"
        )
    join_families(locked_rows, (names for names in pairs if locked_rows.keys() >= set(names)))
    last = _find_last_known(locked_rows.values())
    rows = []
    for message, of_message in groupby(arrivals, key=lambda one: one[0]):
        message_facts = list(of_message)
        families = {locked_rows[fact.subject].family or fact.subject for *_, fact in message_facts}
        known_at = message_facts[0][1]
        for family in families:
            known_at = compute_known_at(last.get(family), known_at)
        last.update(dict.fromkeys(families, known_at))
        for *_, fact in message_facts:
            locked_row = locked_rows[fact.subject]
            locked_row.last_seq, locked_row.last_received_at = locked_row.last_seq + 1, known_at
            rows.append(_make_fact_row(locked_row.last_seq, known_at, message, fact))
    write_counters(conn, locked_rows.values())
    return rows


def _find_last_known(locked_rows: Iterable[LockedRow]) -> dict[str, datetime]:
    """Return, for each family, the last instant at which anything became known of it."""
    last: dict[str, datetime] = {}
    for locked_row in locked_rows:
        family = locked_row.family or locked_row.subject
        instants = (last.get(family), locked_row.last_received_at, locked_row.told_until)
        known_instants = [at for at in instants if at is not None]
        if known_instants:
            last[family] = max(known_instants)
    return last


def _make_fact_row(seq: int, received_at: datetime, message: str, fact: Fact) -> dict[str, object]:
    return {
        "subject": fact.subject,
        "seq": seq,
        "id": fact.id,
        "message": message,
        "received_at": received_at,
        "observed_at": fact.observed_at,
        "kind": fact.body.kind,
        "payload": wire.write_compact_fact(fact).decode(),
    }


def _load_facts_beside_states(
    conn: Connection, subjects: Sequence[str], condition: ColumnElement[bool]
) -> list[JournalEntry]:
    """Return the facts of *subjects* for which *condition* holds, in order."""
    state = participant_state.c
    table = facts_table.c
    entries = []
    for is_wanted in match_any(conn, participant.c.subject, subjects):
        query = (
            select(table.seq, table.received_at, table.message, table.payload)
            .select_from(participant)
            .outerjoin(participant_state, state.subject == participant.c.subject)
            .join(facts_table, and_(table.subject == participant.c.subject, condition))
            .where(is_wanted)
            .order_by(table.subject, table.seq)
        )
        entries += [_read_entry(*row) for row in conn.execute(query)]
    return entries


def _load_facts(conn: Connection, *conditions: ColumnElement[bool]) -> list[JournalEntry]:
    table = facts_table.c
    query = (
        select(table.seq, table.received_at, table.message, table.payload)
        .where(*conditions)
        .order_by(table.subject, table.seq)
    )
    return [_read_entry(*row) for row in conn.execute(query)]


def _read_entry(seq: int, received_at: datetime, message: str, payload: str) -> JournalEntry:
    fact = wire.read_fact(payload)
    if isinstance(fact, wire.Unreadable):
        raise ValueError(  # noqa: TRY004  its text is wrong, not its type
            f"fact {seq} of message {message} is unreadable at {fact.where!r}: {fact.problem};"
            " run `aegis verify`"
        )
    return JournalEntry(seq, received_at, message, fact)
