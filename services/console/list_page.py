"""One page of a long list, and the addresses of the pages before and after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.vocabulary.number_text import parse_whole_number

Row = TypeVar("Row")

_SIZE = 100  # rows
_OF_ONE_LOOK = ("page", "signed")  # parameters


@dataclass(frozen=True, slots=True)
class ListPage(Generic[Row]):
    """Page *number* of *count* of a list of *row_count* rows; *query* leads to the others."""

    rows: Sequence[Row]
    number: int
    count: int
    row_count: int
    query: Mapping[str, str]


def cut_page(rows: Sequence[Row], query: Mapping[str, str]) -> ListPage[Row]:
    """Return the page of *rows* that *query* asks for; the nearest one if there is no such page.

    >>> cut_page(range(250), {"page": "3"}).rows, cut_page([], {"page": "7"}).number
    (range(200, 250), 1)
    """
    count = max(1, -(-len(rows) // _SIZE))
    number = min(max(1, parse_whole_number(query.get("page", "1")) or 1), count)
    kept_query = {name: text for name, text in query.items() if name not in _OF_ONE_LOOK and text}
    start = (number - 1) * _SIZE
    return ListPage(rows[start : start + _SIZE], number, count, len(rows), kept_query)
