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
