"""Reference ranges, as laboratories write them: the texts of both ends and of their unit.

Source: HL7 v2.5.1, 7.4.2.7 (OBX-7)
"""

import re
from typing import NamedTuple

from services.vocabulary.quantity import Censoring, split_censoring

_NONE_GIVEN = frozenset({"", '""', "-", "--", "n/a", "na", "none"})
_NUMBER = r"[+-]?(?:[0-9]+(?:[.,'][0-9]+| [0-9]{3}(?![0-9]))*\.?|[.,][0-9]+)"
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_LABEL = re.compile(r"(?:normal|reference|ref\.?)(?: (?:range|interval))?\s*:\s*", re.IGNORECASE)
_INTERVAL = re.compile(
    rf"(?P<low>{_NUMBER})\s*(?:[{_DASHES}]|\.\.+|\bto\b|\bbis\b)\s*(?P<high>{_NUMBER})\s*[\])]?"
    r"\s*(?P<unit>.*)",
    re.IGNORECASE,
)
_ONE_END = re.compile(rf"(?P<end>{_NUMBER})\s*[\])]?\s*(?P<unit>.*)")
_UPPER = re.compile(
    r"(?:up ?to|at most|not more than|below|under|max(?:imum|\.)?|bis)\s*", re.IGNORECASE
)
_LOWER = re.compile(r"(?:at least|not less than|above|over|min(?:imum|\.)?)\s*", re.IGNORECASE)
_UPPER_SIGNS = frozenset({Censoring.LESS_THAN, Censoring.AT_MOST})


class RangeText(NamedTuple):
    """The ends of a range as written, each empty when there is none.

    *unit* is the one that stands behind them, None when there is none.
    """

    low: str
    high: str
    unit: str | None


def is_range_given(text: str) -> bool:
    """Return True unless *text* (OBX-7) says that there is no range."""
    return text.strip().casefold() not in _NONE_GIVEN


def split_range(text: str) -> RangeText | None:
    """Return the parts of the range in *text* (OBX-7); None when it is none.

    >>> split_range("3.5 - 5.0 mmol/L"), split_range("[ < 4.5]")
    (RangeText(low='3.5', high='5.0', unit='mmol/L'), RangeText(low='', high='4.5', unit=None))
    >>> split_range("< OR = 5.0").high, split_range("up to 40").high, split_range("negative")
    ('5.0', '40', None)
    """
    text = _LABEL.sub("", text.strip(), count=1).lstrip("[(").strip()
    interval = _INTERVAL.fullmatch(text)
    if interval is not None:
        return RangeText(interval["low"], interval["high"], _strip_unit(interval["unit"]))
    is_upper, rest = _split_side(text)
    one_end = None if is_upper is None else _ONE_END.fullmatch(rest.strip())
    if one_end is None:
        return None
    unit, end = _strip_unit(one_end["unit"]), one_end["end"]
    return RangeText("", end, unit) if is_upper else RangeText(end, "", unit)


def _strip_unit(text: str) -> str | None:
    text = text.strip()
    has_brackets = text.startswith(("(", "[")) and text.endswith((")", "]"))
    return (text[1:-1].strip() if has_brackets else text) or None


def _split_side(text: str) -> tuple[bool | None, str]:
    """Return True when *text* names an upper end, False for a lower one, and the rest of it."""
    sign, rest = split_censoring(text)
    if sign is not None:
        return sign in _UPPER_SIGNS, rest
    for words, is_upper in ((_UPPER, True), (_LOWER, False)):
        match = words.match(text)
        if match is not None:
            return is_upper, text[match.end() :]
    return None, text
