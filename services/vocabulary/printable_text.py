"""Text from outside as a person may be shown it: nothing in it moves the cursor or hides."""

import re
import unicodedata

_QUOTED_LENGTH = 80  # characters: a code, a unit or a key, and no page of a record
# A lone return moves the cursor; a tab, and the end of a line as every system writes it, is text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)")


def escape_unprintable(text: str) -> str:
    r"""Return *text* with every mark that is not printed as its escape; blanks of any width stay.

    >>> escape_unprintable("Na\x1b[2J"), escape_unprintable("1\N{THIN SPACE}200 µL")
    ('Na\\x1b[2J', '1\u2009200 µL')
    """
    if text.isprintable():
        return text
    return "".join(mark if _is_shown(mark) else _escape(mark) for mark in text)


def quote_text(text: str) -> str:
    r"""Return *text* in at most 80 characters, all of which are printed.

    >>> quote_text("mg/dL\x07"), len(quote_text("Z" * 1000))
    ('mg/dL\\x07', 80)
    """
    return escape_unprintable(text[:_QUOTED_LENGTH])[:_QUOTED_LENGTH]


def escape_controls(text: str) -> str:
    r"""Return *text* with every control character as its escape, but for tabs and ends of lines.

    >>> escape_controls("Na\x1b[2J\t\u200b\r\n")
    'Na\\x1b[2J\t\u200b\r\n'
    """
    return text if text.isprintable() else _CONTROL.sub(lambda mark: _escape(mark[0]), text)


def escape_lines(text: str) -> str:
    r"""Return *text* as `escape_unprintable` does, with its ends of lines.

    >>> escape_lines("potassium\n\x1b[2J")
    'potassium\n\\x1b[2J'
    """
    return "\n".join(map(escape_unprintable, text.split("\n")))


def escape_json(text: str) -> str:
    r"""Return the JSON *text*, of one line, with every mark that is not printed as a JSON escape.

    >>> print(escape_json('"Na\x9b2J\N{RIGHT-TO-LEFT OVERRIDE}"'))
    "Na\u009b2J\u202e"
    """
    if text.isprintable():
        return text
    return "".join(mark if _is_shown(mark) else _escape_in_json(mark) for mark in text)


def _is_shown(mark: str) -> bool:
    return mark.isprintable() or unicodedata.category(mark) == "Zs"


def _escape(mark: str) -> str:
    return mark.encode("unicode_escape").decode()


def _escape_in_json(mark: str) -> str:
    digits = mark.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{digits[at : at + 4]}" for at in range(0, len(digits), 4))
