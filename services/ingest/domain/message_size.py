"""The bound on the content of one message: beyond it the message is parked whole, unread."""

from services.ingest.domain.message_content import ParkedItem, ParkReason

MOST_ITEMS = 5_000  # lines of a message, and of facts
MOST_IDENTIFIERS = 100  # of one patient; real ones have fewer than twenty

_WHOLE_MESSAGE = "message"


def park_too_many_lines(body: bytes, most_items: int) -> ParkedItem | None:
    r"""Return the parked item of a message of more than *most_items* lines; None of any other.

    Lines end in CR, LF or both; so the parts of a text that goes over several lines are counted.

    >>> park_too_many_lines(b"MSH|\r\nPID|\r\n", 2), park_too_many_lines(b"MSH|\rPID|\rOBX|", 3)
    (None, None)
    >>> park_too_many_lines(b"MSH|\rPID|\rOBX|\nNTE|", 3).detail[:59]
    'it has 4 lines, more than 3 (AEGIS_MESSAGE_ITEMS): send it '
    """
    body = body.strip()
    count = 1 + body.count(b"\r") + body.count(b"\n") - body.count(b"\r\n")
    if count <= most_items:
        return None
    detail = (
        f"it has {count} lines, more than {most_items} (AEGIS_MESSAGE_ITEMS):"
        " send it in parts, or raise the limit and retry"
    )
    return ParkedItem(_WHOLE_MESSAGE, ParkReason.TOO_MANY_ITEMS, detail)


def park_too_many_identifiers(path: str, count: int) -> ParkedItem | None:
    """Return the parked item of a message with a patient of *count* identifiers, if too many.

    >>> park_too_many_identifiers("PID[1].3", 100)
    """
    if count <= MOST_IDENTIFIERS:
        return None
    detail = f"it has {count} identifiers, more than {MOST_IDENTIFIERS}: send those of one patient"
    return ParkedItem(path, ParkReason.TOO_MANY_ITEMS, detail)
