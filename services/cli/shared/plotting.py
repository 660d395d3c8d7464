"""Pictures of designs, in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from services.charts.chart_content import Captions, ImageFormat, Marks, PlottedRule
from services.charts.designs import draw_designs_chart
from services.cli.command import CommandError


def draw_designs(
    path: Path, captions: Captions, rules: Sequence[PlottedRule], marks: Marks, n: int
) -> None:
    """Write the picture of *rules* to *path*.

    Raises:
        CommandError: It cannot be written.
    """
    forms: dict[str, ImageFormat] = {form: form for form in get_args(ImageFormat)}
    picture = draw_designs_chart(captions, rules, marks, n, forms[path.suffix[1:]])
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise CommandError(f"--plot {path} cannot be written: {error.strerror}") from error
