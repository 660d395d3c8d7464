"""Counts of things in sentences."""


def name_count(count: int, noun: str, plural: str = "") -> str:
    """Return *count* with its *noun*, which takes an s unless *plural* is named.

    >>> name_count(1, "query", "queries"), name_count(0, "item"), name_count(2, "item")
    ('1 query', '0 items', '2 items')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
