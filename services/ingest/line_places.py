"""Places of lines in a message of facts: ``line 3``."""

import re

_PLACE = re.compile(r"line ([0-9]+)")


def name_line(number: int) -> str:
    """Return the place of a line; the first has number 1."""
    return f"line {number}"


def find_line_number(place: str) -> int | None:
    """Return the number of the line at *place*; None of another place.

    >>> find_line_number("line 12"), find_line_number("message")
    (12, None)
    """
    match = _PLACE.fullmatch(place)
    return int(match[1]) if match else None


def list_places(body: bytes) -> list[str]:
    r"""Return the places of all lines that are not blank.

    >>> list_places(b"{}\n\n{}\n")
    ['line 1', 'line 3']
    """
    lines = enumerate(body.split(b"\n"), 1)
    return [name_line(number) for number, line in lines if line.strip()]
