"""Text from outside as a person may be shown it: nothing in it moves the cursor or hides."""

import unicodedata


def escape_unprintable(text: str) -> str:
    r"""Return *text* with every mark that is not printed as its escape; blanks of any width stay.

    >>> escape_unprintable("Na\x1b[2J"), escape_unprintable("1\N{THIN SPACE}200 µL")
    ('Na\\x1b[2J', '1\u2009200 µL')
    """
    if text.isprintable():
        return text
    return "".join(mark if _is_shown(mark) else _escape(mark) for mark in text)


def _is_shown(mark: str) -> bool:
    return mark.isprintable() or unicodedata.category(mark) == "Zs"


def _escape(mark: str) -> str:
    return mark.encode("unicode_escape").decode()
