"""Ids of messages and facts: hashes of their content, so that a replay makes the same ids."""

from uuid import UUID, uuid5

from services.store.journal import RawMessage

NAMESPACE = UUID("6f1f3c5e-0d0b-5a55-9a0e-4f4a6f5a3c10")


def message_id(sender: str, control_id: str, digest: str) -> str:
    """Return the id of a raw message."""
    return str(uuid5(NAMESPACE, f"{sender}|{control_id}|{digest}"))


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
