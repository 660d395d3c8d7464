"""The look that all charts share: colours, fonts, and the same bytes for the same figure."""

import io
from typing import Any

from matplotlib.figure import Figure

from services.charts.chart_content import ImageFormat

# Colours that stay apart without red-green vision. Source: Okabe, Ito 2008, Color Universal Design
STOP, CURRENT, PENDING, INK = "#D55E00", "#0072B2", "#56B4E9", "#222222"

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "aegis",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

METADATA: dict[ImageFormat, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "Aegis"},
    "png": {"Software": "Aegis"},
    "pdf": {"CreationDate": None, "Creator": "Aegis"},
}


def render(figure: Figure, form: ImageFormat) -> bytes:
    """Return *figure* as a file of *form*, without the time at which it was drawn."""
    file = io.BytesIO()
    figure.savefig(file, format=form, metadata=METADATA[form])
    return file.getvalue()
