"""Numbers in messages, as a person types them."""

from collections.abc import Iterable


def spell_number(number: float) -> str:
    """Return *number* in up to 15 digits.

    >>> spell_number(90.0), spell_number(0.1), spell_number(0.999999999), spell_number(1e308)
    ('90', '0.1', '0.999999999', '1e+308')
    """
    return f"{number:.15g}"


def spell_numbers(numbers: Iterable[float]) -> str:
    """Return *numbers* with commas between them, as an option takes them.

    >>> spell_numbers((2.0, 2.5))
    '2,2.5'
    """
    return ",".join(map(spell_number, numbers))
