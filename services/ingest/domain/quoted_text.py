"""Quotation of what a sender wrote, in a sentence about it."""

from services.vocabulary.printable_text import escape_unprintable

_LENGTH = 80  # characters: a code or a unit, and no page of a record
_MASK = "..."
UNKNOWN_UNIT = "unit '{}' is not known: add it to units of this site in sites.yaml"


def quote_text(text: str) -> str:
    r"""Return *text* in at most 80 characters, all of which are printed.

    >>> quote_text("mg/dL\x07"), len(quote_text("Z" * 1000))
    ('mg/dL\\x07', 80)
    """
    return escape_unprintable(text[:_LENGTH])[:_LENGTH]


def quote_in(template: str, text: str) -> tuple[str, str]:
    """Return *template* with *text* quoted in its braces, and as it may be read without the keys.

    >>> quote_in("unit '{}' is not known", "furlongs")
    ("unit 'furlongs' is not known", "unit '...' is not known")
    """
    return template.format(quote_text(text)), template.format(_MASK)
