"""The text of a notice as HTML, word for word: for mails, and for the page behind their link."""

from html import escape

from services.alerts.domain.wording import Text

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#222;background:#fff;overflow-wrap:anywhere}"
    "h1{font-size:1.3rem}h2{font-size:1.1rem}p{margin:.5rem 0}"
    "a{color:#005a8c}code{background:#f4f4f4}.notice{background:#f4f4f4;padding:.5rem 1rem;"
    "border-left:4px solid #0072b2}button{font:inherit;padding:.6rem 1.2rem;border:0;"
    "border-radius:6px;background:#005a8c;color:#fff}label{display:block;margin:1rem 0 .3rem}"
    "input{font:inherit;width:100%;padding:.4rem;box-sizing:border-box}"
)


def render_page(title: str, content: str) -> str:
    """Return a whole page; *content* is HTML, *title* is not."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>{content}</body></html>\n"
    )


def render_mail(text: Text, picture_id: str = "") -> str:
    """Return the HTML beside the plain text of a mail: its subject, lines, link and picture.

    *picture_id* is the Content-ID of the chart in the same mail; empty: it has none.
    """
    picture = (
        f'\n<p><img src="cid:{escape(picture_id)}" alt="The events against the boundary"'
        ' style="max-width:100%"></p>'
        if picture_id
        else ""
    )
    content = f"<h1>{escape(text.subject)}</h1>\n{render_text(text)}{picture}"
    return render_page(text.subject, content)


def render_text(text: Text) -> str:
    r"""Return the lines of the body, the first in bold, the link to be followed.

    >>> print(render_text(Text("", "Suspected.\nAcknowledge: http://h/a\n", "http://h/a")))
    <div class="notice"><p><strong>Suspected.</strong></p>
    <p>Acknowledge: <a href="http://h/a">http://h/a</a></p></div>
    """
    first, *rest = (_render_line(line, text.link) for line in text.body.splitlines())
    body = "\n".join((f"<p><strong>{first}</strong></p>", *(f"<p>{line}</p>" for line in rest)))
    return f'<div class="notice">{body}</div>'


def _render_line(line: str, link: str) -> str:
    html = escape(line)
    if not link.startswith(("http://", "https://")):
        return html
    target = escape(link)
    return html.replace(target, f'<a href="{target}">{target}</a>')
