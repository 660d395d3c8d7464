"""Ids of messages and facts: hashes of their content, so that a replay makes the same ids."""

from hashlib import sha256
from uuid import UUID, uuid5

from services.store.journal import RawMessage

NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c10")
_LONGEST_CONTROL_ID = 199  # characters


def message_id(sender: str, control_id: str, digest: str) -> str:
    """Return the id of a raw message."""
    return str(uuid5(NAMESPACE, f"{sender}|{control_id}|{digest}"))


def bound_control_id(control_id: str) -> str:
    """Return *control_id* as it is stored: a longer one than HL7 allows ends in its own hash.

    An index of PostgreSQL takes no key of some kilobytes.

    Source: HL7 v2.9, 2.14.9.10 (MSH-10, at most 199 characters)

    >>> bound_control_id("T5816-1"), len(bound_control_id("9" * 200))
    ('T5816-1', 199)
    """
    if len(control_id) <= _LONGEST_CONTROL_ID:
        return control_id
    digest = sha256(control_id.encode()).hexdigest()
    return f"{control_id[: _LONGEST_CONTROL_ID - len(digest) - 1]}#{digest}"


def fact_id(message: RawMessage, path: str, sender_id: str = "") -> str:
    """Return the id of the item at *path*; one *sender_id* of a sender always makes the same id.

    >>> from datetime import UTC, datetime
    >>> m = RawMessage("m", datetime(2026, 1, 1, tzinfo=UTC), "s", "L|N", "1", "0", "file", "", b"")
    >>> fact_id(m, "OBX[1]") == fact_id(m, "OBX[1]") != fact_id(m, "OBX[2]")
    True
    """
    if sender_id:
        return str(uuid5(NAMESPACE, f"{message.sender}|{path}|{sender_id}"))
    parts = (message.site, message.sender, message.control_id, message.sha256, path)
    return str(uuid5(NAMESPACE, "|".join(parts)))
