"""Pictures of designs, for files."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from services.charts.chart_content import Captions, ImageFormat, Marks, PlottedRule
from services.charts.designs import draw_designs_chart
from services.cli.shared.output_files import OutputFile


def draw_designs(
    path: Path, captions: Captions, rules: Sequence[PlottedRule], marks: Marks, n: int
) -> OutputFile:
    """Return the picture of *rules*, for ``--plot`` *path*."""
    forms: dict[str, ImageFormat] = {form: form for form in get_args(ImageFormat)}
    picture = draw_designs_chart(captions, rules, marks, n, forms[path.suffix[1:]])
    return OutputFile("--plot", path, picture)
