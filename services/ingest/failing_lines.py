"""Lines of a message of facts that fail for an unforeseen reason: found by halves, and parked."""

from collections.abc import Callable, Iterable, Sequence

from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.line_places import find_line_number
from services.ingest.unread_messages import park_unread

_MOST_LINES_TRIED = 20_000  # a message of 5,000 lines, one of which fails, takes 13,000
_TRIAL_LINES = 100  # so many lines cost as much as a trial without any


def park_failing_lines(
    places: Sequence[str], attempt: Callable[[Sequence[str]], Exception | None]
) -> list[ParkedItem]:
    """Return the parked items of the lines that fail.

    After so many lines as bound the work, those of a group that failed are all parked.

    Args:
        places: Of all lines of the message, which failed as a whole.
        attempt: Tries to store the lines at these places alone, and returns the error.

    >>> attempt = lambda places: ValueError() if "line 3" in places else None
    >>> [item.path for item in park_failing_lines([f"line {n}" for n in range(1, 8)], attempt)]
    ['line 3']
    """
    items: list[ParkedItem] = []
    groups = _split_in_halves(places)
    tried_count = 0
    while groups:
        group = groups.pop()
        tried_count += _TRIAL_LINES + len(group)
        error = attempt(group)
        if error is None:
            continue
        if len(group) == 1 or tried_count > _MOST_LINES_TRIED:
            items += (park_unread(error, place) for place in group)
        else:
            groups += _split_in_halves(group)
    return items


def select_failing_lines(items: Iterable[tuple[str, str, str]]) -> list[ParkedItem]:
    """Return the lines among *items* (path, reason, detail) that failed when they were stored."""
    return [
        ParkedItem(path, ParkReason.NOT_STORED, detail)
        for path, reason, detail in items
        if reason == ParkReason.NOT_STORED and find_line_number(path) is not None
    ]


def _split_in_halves(places: Sequence[str]) -> list[Sequence[str]]:
    """Return the second half of *places* and the first; one of them alone when it is all."""
    middle = len(places) // 2
    return [half for half in (places[middle:], places[:middle]) if half]
