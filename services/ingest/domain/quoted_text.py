"""Quotation of what a sender wrote, in a sentence about it."""

from services.vocabulary.printable_text import quote_text

_MASK = "..."
UNKNOWN_UNIT = "unit '{}' is not known: add it to units of this site in sites.yaml"


def quote_in(template: str, text: str) -> tuple[str, str]:
    """Return *template* with *text* quoted in its braces, and as it may be read without the keys.

    >>> quote_in("unit '{}' is not known", "furlongs")
    ("unit 'furlongs' is not known", "unit '...' is not known")
    """
    return template.format(quote_text(text)), template.format(_MASK)
