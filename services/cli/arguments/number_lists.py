"""Lists of numbers as the arguments of a command: ``.2,.3`` and ``5,10,15``."""

from argparse import ArgumentTypeError


def parse_numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of ``.2,.3``.

    Raises:
        ArgumentTypeError: They are none.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a number, or numbers like .2,.3") from error


def parse_whole_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of ``5,10,15``.

    Raises:
        ArgumentTypeError: They are none.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not whole numbers like 5,10,15") from error
