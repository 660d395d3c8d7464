"""UCUM units by the spellings of laboratories.

A spelling is looked up whole, otherwise it is taken apart: a power of ten or an amount, and what it
is per. Only what comes to one of the listed units is known; a spelling that could be two units
(``MU/L``, mega or milli) or a power that lost its mark (``103/uL``) is none.

Source: UCUM v2.1; HL7 v2.5.1, 7.4.2.6 (OBX-6); docs/decisions/values.md
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_LONGEST = 60  # characters of any spelling
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_LOOKALIKES = str.maketrans({"µ": "u", "μ": "u", "×": "x", "·": ".", "⋅": ".", "∕": "/", "ℓ": "l"})  # noqa: RUF001 - the point
_ANNOTATION = re.compile(r"\{[^{}0-9]*\}")
_PER_ONE = re.compile(r"\s*[.*]?\s*\b([A-Za-z]+)\s*(?:\^|\*\*?)?\s*\(?-1\)?(?![0-9])")
_BODY_SURFACE = re.compile(
    r"\s*[/.*]\s*[({]?1[.,]73[\s_]*"
    r"(?:(?:m\s*(?:\^|\*\*?)?\s*2|sq(?:uare|\.)?\s*m(?:et(?:er|re)s?)?\.?)(?:\s*BSA)?)?[)}]?",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"/\(([^()]+)\)")
_POWER = re.compile(
    r"(?:10\s*(?:\*\*|\*|\^|x|exp|e|\(|\[|\s)\s*[(+\[]?\s*0?(?P<power>[2-6]|9|12)[\])]?"
    r"|1e\+?0?(?P<digits>3|6|9|12)|e(?P<letter>3|6|9|12)|(?P<thousand>1[,.]?000))(?![0-9])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Spellings:
    """The symbols of one table, by spelling: as written, and in any case where that is safe."""

    exact: Mapping[str, str]
    in_any_case: Mapping[str, str]

    def find(self, text: str) -> str | None:
        """Return the symbol of *text*."""
        symbol = self.exact.get(text)
        return self.in_any_case.get(text.casefold()) if symbol is None else symbol


@dataclass(frozen=True, eq=False)
class UnitTable:
    """The units that are known, and their spellings.

    Args:
        dimensions: That of every UCUM unit that is known.
        spellings: UCUM unit of a spelling that is not taken apart.
        scales: Power of ten, e.g. ``3`` of ``thou``.
        counted_things: What is counted, of which a unit does not speak; all symbols are empty.
        amounts: UCUM symbol before the first slash.
        denominators: UCUM symbol behind a slash.
    """

    dimensions: Mapping[str, str]
    spellings: Spellings
    scales: Spellings
    counted_things: Spellings
    amounts: Spellings
    denominators: Spellings

    def find(self, text: str) -> str | None:
        """Return the UCUM unit of *text*, None when it is not known.

        >>> from services.ingest.adapters.code_tables import load_code_tables
        >>> units = load_code_tables().units
        >>> units.find("X10^3/mm^3"), units.find("giga.l-1"), units.find("{cells}/uL")
        ('10*3/uL', '10*9/L', '/uL')
        >>> units.find("furlongs"), units.find("MU/L"), units.find("{10*3}/uL")
        (None, None, None)
        """
        text = text.strip()
        return self.spellings.find(text) or _find_spelled_unit(self, text)


@lru_cache(maxsize=4096)
def _find_spelled_unit(table: UnitTable, text: str) -> str | None:
    if not text or len(text) > _LONGEST:
        return None
    text = _normalise(text)
    unit = table.spellings.find(text) or _find_composed_unit(table, text)
    return unit if unit in table.dimensions else None


def _normalise(text: str) -> str:
    text = re.sub("[⁰¹²³⁴-⁹⁻]+", lambda raised: f"^{raised[0].translate(_SUPERSCRIPTS)}", text)
    text = " ".join(text.translate(_LOOKALIKES).split()).replace("^^", "^").replace("*^", "^")
    text = _ANNOTATION.sub("", text)
    text = _BODY_SURFACE.sub("/{1.73_m2}", text, count=1)
    text = re.sub(r"(?:^|\s+)per\s+", "/", text, flags=re.IGNORECASE)
    text = _PER_ONE.sub(r"/\1", text)
    text = _PRODUCT.sub(lambda match: "/" + re.sub(r"\s*[.*]\s*", "/", match[1]), text)
    text = text.replace("/(", "/")
    return re.sub(r"\s*/\s*", "/", text).strip(" .")


def _find_composed_unit(table: UnitTable, text: str) -> str | None:
    numerator, *divisors = text.split("/")
    denominators = [table.denominators.find(divisor.strip(" .")) for divisor in divisors]
    if None in denominators:
        return None
    divisor_text = "".join(f"/{symbol}" for symbol in denominators)
    power = _find_power(table, numerator.strip(" ."))
    if power is not None:
        if power:
            divisor_text = divisor_text.replace("/mm3", "/uL")
        return f"{f'10*{power}' if power else ''}{divisor_text}"
    amount = table.amounts.find(numerator.strip(" ."))
    return None if amount is None else f"{amount}{divisor_text}"


def _find_power(table: UnitTable, text: str) -> int | None:
    """Return the power of ten that *text* counts in, 0 for ones; None when it is no count."""
    text = re.sub(r"^[x*]\s*(?=[0-9])", "", text, flags=re.IGNORECASE).strip("() ")
    match = _POWER.match(text)
    if match is not None:
        power = match["power"] or match["digits"] or match["letter"] or "3"
        rest = text[match.end() :]
    else:
        word, _, rest = text.partition(" ")
        scale = table.scales.find(word.strip("."))
        power, rest = (scale, rest) if scale is not None else ("0", text)
    rest = rest.strip(" .*()")
    is_count = rest in ("", "1") or table.counted_things.find(rest) is not None
    return int(power) if is_count else None
