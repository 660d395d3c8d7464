"""Quotation of what a sender wrote, in a sentence about it."""

from services.vocabulary.printable_text import escape_unprintable

_LENGTH = 80  # characters: a code or a unit, and no page of a record


def quote_text(text: str) -> str:
    r"""Return *text* in at most 80 characters, all of which are printed.

    >>> quote_text("mg/dL\x07"), len(quote_text("Z" * 1000))
    ('mg/dL\\x07', 80)
    """
    return escape_unprintable(text[:_LENGTH])[:_LENGTH]
