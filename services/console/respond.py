"""Responses of the console: templates, and headers that keep a page to whom it was sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.console.access import list_links
from services.console.visit import Visit
from services.vocabulary.count_text import name_count
from services.vocabulary.printable_text import escape_lines

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_SEE_OTHER = 303


def format_utc(instant: datetime | None) -> str:
    """Return an instant to the minute; empty when there is none."""
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def format_day(number: int | None) -> str:
    """Return a transplant or treatment day; a dash when there is none."""
    return "-" if number is None else str(number)


def format_percent(share: float | None) -> str:
    """Return a share as percent; a dash when it is not known, and never 0 or 100 by rounding."""
    if share is None:
        return "-"
    if 0 < share < 0.01:  # noqa: PLR2004 - one percent
        return "< 1 %"
    return "> 99 %" if 0.99 < share < 1 else f"{share:.0%}".replace("%", " %")  # noqa: PLR2004


def format_left(left_s: float) -> str:
    """Return the time that is left, or that it is over and for how long.

    >>> format_left(90_061), format_left(-3_600)
    ('1 d 1 h 1 min', '1 h 0 min over')
    """
    minutes = int(abs(left_s) // 60)
    days, hours = divmod(minutes // 60, 24)
    parts = [f"{days} d"] if days else []
    words = " ".join([*parts, f"{hours} h", f"{minutes % 60} min"])
    return words if left_s >= 0 else f"{words} over"


def format_age(age_s: float) -> str:
    """Return how long ago something was, in the unit that says it shortly.

    >>> [format_age(one) for one in (59, 7_199, 172_799, 172_800)]
    ['0 min ago', '119 min ago', '47 h ago', '2 d ago']
    """
    for unit, seconds in (("d", 86_400), ("h", 3_600)):
        if age_s >= 2 * seconds:
            return f"{age_s // seconds:.0f} {unit} ago"
    return f"{max(age_s, 0) // 60:.0f} min ago"


def _finalize(value: object) -> object:
    """Return *value* as a template prints it: no control character reaches a page."""
    if isinstance(value, Markup) or not isinstance(value, str):  # the first a template has made
        return value
    return escape_lines(value)


def _make_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("services.console"),
        autoescape=True,
        finalize=_finalize,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "age": format_age,
        "day": format_day,
        "left": format_left,
        "name_count": name_count,
        "percent": format_percent,
        "utc": format_utc,
    }
    return environment


_ENVIRONMENT = _make_environment()


def render(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - what a template prints
    """Return the page *template* with *values*, under the links that the visitor's roles have."""
    content = _ENVIRONMENT.get_template(template).render(
        visit=visit, links=list_links(visit.person), study=visit.context.study_id, **values
    )
    return HTMLResponse(content, status, HEADERS)


def render_unsigned(template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401
    """Return a page for somebody who is not signed in: it shows nothing of the study."""
    content = _ENVIRONMENT.get_template(template).render(visit=None, links=(), study="", **values)
    return HTMLResponse(content, status, HEADERS)


def redirect(address: str) -> RedirectResponse:
    """Send the browser to *address* of the console, to be read."""
    return RedirectResponse(address, _SEE_OTHER, HEADERS)


def respond_file(text: str, media_type: str, name: str) -> Response:
    """Return a file that the browser keeps under *name*."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)


def respond_picture(content: bytes) -> Response:
    """Return an SVG picture."""
    return Response(content, media_type="image/svg+xml", headers=HEADERS)
