"""Where a command draws a design, and over which event rates."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from services.charts.designs import Drawn, Form, Marks, Words, designs_chart
from services.cli.command import CommandError

_POINTS = 60  # of a curve


def draw(path: Path, words: Words, rules: Sequence[Drawn], marks: Marks, n: int) -> None:
    """Write the picture of *rules* to *path*.

    Raises:
        CommandError: It cannot be written.
    """
    forms: dict[str, Form] = {form: form for form in get_args(Form)}
    drawn = designs_chart(words, rules, marks, n, forms[path.suffix[1:]])
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise CommandError(f"--plot {path} cannot be written: {error.strerror}") from error


def grid(p0: float, highest: float = 0.0) -> tuple[float, ...]:
    """Return event rates for a curve, from 0 to well above *p0* and *highest*."""
    top = min(1.0, max(3 * p0, 1.6 * highest, 0.1))
    return tuple(top * k / _POINTS for k in range(_POINTS + 1))
