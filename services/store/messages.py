"""Raw messages: every accepted byte, encrypted, by id, sender and control id."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select, tuple_

from services.store import vault
from services.store.audit import Row
from services.store.bulk import split_into_parts
from services.store.site_numbers import hash_control_id
from services.store.snapshots import ReadSnapshot
from services.store.tables import fact, parked, raw_message

_MESSAGES_AT_ONCE = 100  # each may be some megabytes


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as received.

    Args:
        id: uuid5 of sender, control id and hash.
        received_at: Aware; by *clock*.
        site: Id of the sending site.
        sender: ``APPLICATION|FACILITY``.
        control_id: MSH-10; of a stored message its keyed hash.
        sha256: Of *body*.
        source: The way it came: ``mllp``, ``http``, ``file``, ``person``, ...
        clock: The clock of *received_at*: ``wall`` or ``message``.
        body: As received; kept encrypted.
    """

    id: str
    received_at: datetime
    site: str
    sender: str
    control_id: str
    sha256: str
    source: str
    clock: str
    body: bytes


def find_payload_hashes(
    conn: Connection, keys: vault.Keys, names: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], set[str]]:
    """Return the payload hashes that are stored already, by *names*: (sender, control id)."""
    hashes: dict[tuple[str, str], set[str]] = {}
    columns = raw_message.c.sender, raw_message.c.control_id, raw_message.c.sha256
    name_of = {(name[0], hash_control_id(keys, name[1])): name for name in names}
    for part in split_into_parts(sorted(name_of)):
        query = select(*columns).where(tuple_(*columns[:2]).in_(part))
        for sender, hashed_number, payload_hash in conn.execute(query):
            hashes.setdefault(name_of[sender, hashed_number], set()).add(payload_hash)
    return hashes


def load_message(conn: Connection, keys: vault.Keys, message_id: str) -> RawMessage | None:
    """Return one message, decrypted, by the hash of its number; None: there is none of that id.

    Raises:
        VaultError: It cannot be decrypted.
    """
    query = select(raw_message).where(raw_message.c.id == message_id)
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        return None
    content = {name: value for name, value in row.items() if name not in ("key_id", "body")}
    body = vault.decrypt(keys, message_id, vault.Ciphertext(row["key_id"], row["body"]))
    return RawMessage(**content, body=body)


def find_message_of_each_key(conn: Connection) -> Sequence[str]:
    """Return the id of one message for each key that encrypted any."""
    query = select(func.min(raw_message.c.id)).group_by(raw_message.c.key_id)
    return conn.scalars(query.order_by(raw_message.c.key_id)).all()


def find_damaged_messages(look: ReadSnapshot, keys: vault.Keys) -> Iterator[str]:
    """Yield the ids of the messages whose content is not what was received."""
    for rows in _iterate_parts(look, select(raw_message)):
        for row in rows:
            ciphertext = vault.Ciphertext(row["key_id"], row["body"])
            try:
                body = vault.decrypt(keys, row["id"], ciphertext)
            except vault.VaultError:
                yield row["id"]
                continue
            if sha256(body).hexdigest() != row["sha256"]:
                yield row["id"]


def find_messages_without_effect(look: ReadSnapshot, site: str | None = None) -> Iterator[str]:
    """Yield the ids of accepted messages that produced neither a fact nor a parked item.

    Some carry nothing that is stored, or only facts that were known already. With *site* those of
    that site alone.
    """
    has_no_effect = (
        ~select(table.c.message).where(table.c.message == raw_message.c.id).exists()
        for table in (fact, parked)
    )
    query = select(raw_message.c.id).where(*has_no_effect)
    if site is not None:
        query = query.where(raw_message.c.site == site)
    for rows in _iterate_parts(look, query):
        yield from (row["id"] for row in rows)


def _iterate_parts(look: ReadSnapshot, query: Select[Any]) -> Iterator[Sequence[RowMapping]]:
    """Yield the rows of *query*, in parts, by the id of the message."""
    part = query.order_by(raw_message.c.id).limit(_MESSAGES_AT_ONCE)
    rows = look().execute(part).mappings().all()
    while rows:
        yield rows
        rows = look().execute(part.where(raw_message.c.id > rows[-1]["id"])).mappings().all()


def count_messages(conn: Connection, sources: Sequence[str] = ()) -> int:
    """Return the number of accepted messages, of *sources* alone when any are given."""
    query = select(func.count()).select_from(raw_message)
    if sources:
        query = query.where(raw_message.c.source.in_(sources))
    return int(conn.scalar(query) or 0)


def find_last_received_by_site(conn: Connection) -> dict[str, datetime]:
    """Return the instant at which each site's last message was received."""
    query = select(raw_message.c.site, func.max(raw_message.c.received_at).label("at"))
    rows = conn.execute(query.where(raw_message.c.site != "").group_by(raw_message.c.site))
    return {row.site: row.at for row in rows}


def make_raw_row(keys: vault.Keys, key_id: str, message: RawMessage) -> Row:
    """Return the row of *message*, with its body encrypted by the key *key_id*."""
    ciphertext = vault.encrypt(keys, key_id, message.id, message.body)
    return {
        "id": message.id,
        "received_at": message.received_at,
        "site": message.site,
        "sender": message.sender,
        "control_id": hash_control_id(keys, message.control_id),
        "sha256": message.sha256,
        "source": message.source,
        "clock": message.clock,
        "key_id": ciphertext.key_id,
        "body": ciphertext.data,
    }
