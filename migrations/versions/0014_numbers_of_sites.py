"""Numbers and words of sites: hashed by the key of identifiers, or encrypted for its holder.

Up to 0013 the numbers of messages (MSH-10), orders and results stood in rows as a site sent them,
and its words in what was parked or refused. Here every stored one becomes what the program stores
since: a keyed hash, so that a correction which arrives after the upgrade finds its result. Facts
keep their ids, their order and all else; their digests follow their content. Each change is in the
audit trail. Announcements that wait for the relay become hints: the reader loads the facts.

Senders wait meanwhile: what a service of before writes beside this migration stays as it came.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import context, op
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_AT_ONCE = 200
_MOVEMENT = "|movement|"
_EVENT = re.compile(r"(?:admission|ward|icu|outpatient|discharge|update)(?:\|(?:[0-9a-f]{32})?)?")
_ACTIONS = ("start", "rate", "stop", "given")
_HARMLESS = {
    "number": re.compile(r"(?:-|[0-9]{1,6})(?:\.[0-9]{1,6})?"),
    "local_time": re.compile(r"[0-9]{0,14}(?:\.[0-9]{1,9})?"),
    "report": re.compile(r"[0-9a-f]{0,8}"),
}
_CLINICAL = ("subject", "observed_at", "body", "status", "series")
_LATER_FIELDS = ("peripheral", "planned")  # a digest leaves them out where they say nothing
_QUOTING_REASONS = (
    *("unknown-code", "unknown-unit", "unknown-measure", "unknown-criterion", "unreadable-value"),
    *("unsupported-message", "unreadable-line", "no-site", "wrong-site", "refused"),
)
_PARKED_MASK = "parked by an earlier release: `aegis parked list` shows its words"
_REFUSED_MASK = "refused by an earlier release: `aegis refused list` shows its words"

_raw_message = sa.table("raw_message", sa.column("id"), sa.column("control_id"))
_fact = sa.table("fact", sa.column("subject"), sa.column("seq"), sa.column("payload"))
_parked = sa.table("parked", sa.column("id"), sa.column("detail"), sa.column("hidden_detail"))
_refused_message = sa.table(
    "refused_message",
    *map(sa.column, ("id", "sender", "control_id", "problem", "hidden_words")),
)
_outbox = sa.table("outbox", sa.column("id"), sa.column("topic"), sa.column("payload"))
_AUDIT_COLUMNS = ("at", "actor", "action", "place", "key", "sha256", "detail")
_audit = sa.table("audit", *map(sa.column, _AUDIT_COLUMNS))


def upgrade() -> None:
    op.add_column("parked", sa.Column("hidden_detail", sa.Text(), nullable=True))
    op.add_column("refused_message", sa.Column("hidden_words", sa.Text(), nullable=True))
    if not any(map(_has_rows, ("raw_message", "refused_message"))):
        return
    key = context.config.attributes.get("identity_key")
    if key is None:
        raise RuntimeError("the numbers of sites are hashed by identity.key, which is not here")
    _hash_messages(key)
    _hash_facts(key)
    _hide_parked_details(key)
    _hide_refused_words(key)
    _empty_announcements()


def _has_rows(table: str) -> bool:
    query = sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)
    return op.get_bind().scalar(query) is not None


def _hash_messages(key: bytes) -> None:
    update = (
        sa.update(_raw_message)
        .where(_raw_message.c.id == sa.bindparam("row_id"))
        .values(control_id=sa.bindparam("number"))
    )
    for rows in _read_parts("raw_message"):
        hashes = [
            {"row_id": row["id"], "number": _hash(key, "MSH-10", row["control_id"])} for row in rows
        ]
        op.get_bind().execute(update, hashes)
        _record(
            "raw_message",
            {
                row["id"]: [row | {"control_id": hashed["number"]}]
                for row, hashed in zip(rows, hashes, strict=True)
            },
        )


def _hash_facts(key: bytes) -> None:
    """Hash the numbers in all facts, message by message: an audit row is about all of one."""
    update = (
        sa.update(_fact)
        .where(_fact.c.subject == sa.bindparam("of_subject"), _fact.c.seq == sa.bindparam("of_seq"))
        .values(payload=sa.bindparam("new_payload"))
    )
    table = _reflect("fact")
    for messages in _read_parts("raw_message", ("id",)):
        ids = [row["id"] for row in messages]
        query = (
            sa.select(table).where(table.c.message.in_(ids)).order_by(table.c.subject, table.c.seq)
        )
        changes, by_message = [], {}
        for held_row in op.get_bind().execute(query).mappings().all():
            row = dict(held_row)
            payload = _hash_payload(key, row["payload"])
            of_message = by_message.setdefault(row["message"], [False, []])
            of_message[0] |= payload != row["payload"]
            of_message[1].append(row | {"payload": payload})
            changes.append(
                {"of_subject": row["subject"], "of_seq": row["seq"], "new_payload": payload}
            )
        if changes:
            op.get_bind().execute(update, changes)
        _record("fact", {name: rows for name, (changed, rows) in by_message.items() if changed})


def _hash_payload(key: bytes, text: str) -> str:
    """Return the JSON of a fact with its numbers hashed; of any other text, that text."""
    fact = json.loads(text)
    series, result_key = fact.get("series", ""), fact.get("result_key")
    is_imported = series == f"participants|import|{fact['subject']}|{fact['body']['kind']}"
    if is_imported or not (series or result_key):
        return text
    fact["series"] = _hash_series(key, fact["body"], series)
    if result_key:
        result_key["code"] = _hash(key, "OBX-3", result_key.get("code", ""))
        for name, harmless in _HARMLESS.items():
            part = result_key.get(name, "")
            result_key[name] = part if harmless.fullmatch(part) else _hash(key, "OBX-1", part)
    fact["digest"] = _digest(fact)
    return _write(fact)


def _hash_series(key: bytes, body: dict[str, object], series: str) -> str:
    if body["kind"] == "movement":
        order, separator, event = series.partition(_MOVEMENT)
        if separator and _EVENT.fullmatch(event):
            return f"{_hash(key, 'order', order)}{_MOVEMENT}{event}"
    if body["kind"] == "administration":
        order, _, action = series.rpartition("|")
        if action in _ACTIONS:
            return f"{_hash(key, 'order', order)}|{action}"
    return _hash(key, "order", series)


def _digest(fact: dict[str, object]) -> str:
    content = {name: fact[name] for name in fact if name in _CLINICAL}
    body = content["body"]
    content["body"] = {
        name: value
        for name, value in body.items()
        if name not in _LATER_FIELDS or value is not None
    }
    return hashlib.sha256(_write(content).encode()).hexdigest()


def _hide_parked_details(key: bytes) -> None:
    for rows in _read_parts("parked"):
        row_changes = {}
        for row in rows:
            if row["reason"] in _QUOTING_REASONS:
                hidden_detail = _encrypt(key, row["message"], row["detail"])
                row |= {"detail": _PARKED_MASK, "hidden_detail": hidden_detail}
                row_changes[row["id"]] = [row]
                values = {"detail": _PARKED_MASK, "hidden_detail": hidden_detail}
                op.get_bind().execute(
                    sa.update(_parked).where(_parked.c.id == row["id"]).values(values)
                )
        _record("parked", row_changes)


def _hide_refused_words(key: bytes) -> None:
    for rows in _read_parts("refused_message"):
        row_changes = {}
        for row in rows:
            words = json.dumps([row["sender"], row["control_id"], row["problem"]])
            values = {
                "sender": "",
                "control_id": _hash(key, "MSH-10", row["control_id"]),
                "problem": _REFUSED_MASK,
                "hidden_words": _encrypt(key, row["id"], words),
            }
            op.get_bind().execute(
                sa.update(_refused_message).where(_refused_message.c.id == row["id"]).values(values)
            )
            row_changes[row["id"]] = [row | values]
        _record("refused_message", row_changes)


def _empty_announcements() -> None:
    """Leave of each announcement of facts that there are some: workers read them in the journal."""
    for row in op.get_bind().execute(sa.select(_outbox)).mappings().all():
        announcement = json.loads(row["payload"])
        if announcement.get("facts"):
            payload = json.dumps(announcement | {"facts": []})
            op.get_bind().execute(
                sa.update(_outbox).where(_outbox.c.id == row["id"]).values(payload=payload)
            )


def _reflect(table: str) -> sa.TableClause:
    """Return *table* with its columns as they are held: instants are text."""
    columns = sa.inspect(op.get_bind()).get_columns(table)
    return sa.table(table, *(sa.column(column["name"]) for column in columns))


def _read_parts(name: str, columns: tuple[str, ...] = ()):  # noqa: ANN202 - lists of rows
    """Yield the rows of a table whose key is *id*, in parts."""
    table = _reflect(name)
    query = sa.select(*(table.c[column] for column in columns)) if columns else sa.select(table)
    query = query.order_by(table.c.id).limit(_AT_ONCE)
    rows = op.get_bind().execute(query).mappings().all()
    while rows:
        yield [dict(row) for row in rows]
        next_part = query.where(table.c.id > rows[-1]["id"])
        rows = op.get_bind().execute(next_part).mappings().all()


def _record(place: str, rows_by_key: dict[str, list[dict[str, object]]]) -> None:
    """Let the audit trail say that the rows of each key were changed to these."""
    instant = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entries = [
        {
            "at": instant,
            "actor": "service",
            "action": "changed",
            "place": place,
            "key": key,
            "sha256": hashlib.sha256("\n".join(sorted(map(_write_row, rows))).encode()).hexdigest(),
            "detail": f"migration {revision}",
        }
        for key, rows in rows_by_key.items()
    ]
    if entries:
        op.get_bind().execute(sa.insert(_audit), entries)


def _write_row(row: dict[str, object]) -> str:
    content = {
        name: hashlib.sha256(value).hexdigest() if isinstance(value, bytes | memoryview) else value
        for name, value in row.items()
        if value is not None
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _write(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _hash(key: bytes, kind: str, text: str) -> str:
    """Return the keyed hash of a number, empty for none; parts are framed by their lengths."""
    if not text:
        return ""
    parts = (part.encode() for part in ("", kind, text))
    content = b"".join(len(part).to_bytes(4) + part for part in parts)
    return hmac.new(key, content, hashlib.sha256).hexdigest()[:32]


def _encrypt(key: bytes, row_id: str, text: str) -> str:
    nonce = secrets.token_bytes(12)
    cipher = AESGCM(hmac.new(key, b"aegis hidden text", hashlib.sha256).digest())
    return base64.b64encode(nonce + cipher.encrypt(nonce, text.encode(), row_id.encode())).decode()
