"""Elements of SVG as text, for charts that are drawn into a page in a few milliseconds.

Colours and fonts are classes of the page's style sheet: a page that allows no inline style shows
them all the same.
"""

from collections.abc import Iterable
from html import escape


def make_element(name: str, content: str = "", **attributes: object) -> str:
    """Return one element; *content* is SVG, attributes are escaped.

    A name ends with ``_`` where Python has that word, and has ``_`` for ``-``.

    >>> make_element("text", make_text("5 < 7"), x=1.25, class_="soft")
    '<text x="1.2" class="soft">5 &lt; 7</text>'
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_format(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{pairs}>{content}</{name}>"


def make_text(text: str) -> str:
    """Return *text* as the content of an element."""
    return escape(text)


def make_titled(name: str, title: str, **attributes: object) -> str:
    """Return an element whose *title* is shown beside a pointer that rests on it."""
    return make_element(name, make_element("title", make_text(title)), **attributes)


def join_points(points: Iterable[tuple[float, float]]) -> str:
    """Return *points* as the attribute of a line or a polygon.

    >>> join_points([(1, 2.25), (3, 4)])
    '1.0,2.2 3.0,4.0'
    """
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def make_drawing(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """Return a whole drawing of that size in units; *label* is read out in its place."""
    return make_element(
        "svg",
        "".join(parts),
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=label,
        class_="drawing",
    )


def _format(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)
