"""Pictures of endpoints, in files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from services.charts.incidence import draw_incidence_chart, find_form
from services.cli.command import CommandError
from services.vocabulary.endpoint import EndpointCurve, EndpointReport


def require_form(file: Path) -> None:
    """Check that the name of *file* ends in a form that can be drawn.

    Raises:
        CommandError: It does not.
    """
    try:
        find_form(file)
    except ValueError as error:
        raise CommandError(f"--plot: {error}") from error


def draw_curves(
    file: Path, report: EndpointReport, curves: Sequence[EndpointCurve], *, is_single: bool
) -> Iterator[Path]:
    """Write a picture of each curve, and yield where it is.

    Raises:
        CommandError: A file cannot be written.
    """
    for curve in curves:
        path = file if is_single else file.with_stem(f"{file.stem}-{curve.id}")
        try:
            path.write_bytes(draw_incidence_chart(report, curve, find_form(path)))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        yield path
