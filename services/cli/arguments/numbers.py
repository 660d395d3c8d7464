"""Numbers as the arguments of a command: ``.2``, ``.2,.3`` and ``5,10,15``; each is finite."""

import math
from argparse import ArgumentTypeError


def parse_number(text: str) -> float:
    """Return the number in *text*.

    >>> parse_number(".2")
    0.2
    >>> parse_number("nan")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: 'nan' is no number

    Raises:
        ArgumentTypeError: It is none, or not a finite one.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ArgumentTypeError(f"{text!r} is no number")
    return number


def parse_numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of ``.2,.3``.

    >>> parse_numbers(".2,.4")
    (0.2, 0.4)

    Raises:
        ArgumentTypeError: One of them is none.
    """
    try:
        return tuple(parse_number(part) for part in text.split(","))
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"{text!r} is not a number, or numbers like .2,.3") from error


def parse_whole_number(text: str) -> int:
    """Return the whole number in *text*.

    >>> parse_whole_number("-3")
    -3
    >>> parse_whole_number("10.5")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '10.5' is no whole number

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no whole number") from error


def parse_plan_size(text: str) -> int:
    """Return the planned maximum of participants in *text*.

    >>> parse_plan_size("10.5")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '10.5' is not a whole number from 1 to 1000

    Raises:
        ArgumentTypeError: It is no whole number; the plan itself says how large it may be.
    """
    try:
        return int(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000") from error


def parse_whole_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of ``5,10,15``.

    Raises:
        ArgumentTypeError: They are none.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not whole numbers like 5,10,15") from error


def parse_looks(text: str) -> tuple[float, ...]:
    """Return the looks of ``5,10,15``, whole where they are written so: person-time need not be.

    >>> parse_looks("5,10"), parse_looks("0.5,1")
    ((5, 10), (0.5, 1.0))

    Raises:
        ArgumentTypeError: They are no numbers.
    """
    try:
        return parse_whole_numbers(text)
    except ArgumentTypeError as error:
        try:
            return parse_numbers(text)
        except ArgumentTypeError:
            raise error from None
