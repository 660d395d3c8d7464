"""Codes that a site has sent and nobody knew, as its parked items spell them."""

import re
from dataclasses import dataclass
from typing import Final

from services.store import parking
from services.store.session import Connection
from services.store.vault import Keys
from services.vocabulary.printable_text import quote_text

# Our own sentences about a code that is in no table of its site.
_UNKNOWN_CODE: Final = re.compile(
    r"(?:no (?:measure|drug) for (?P<code>.*)|unit '(?P<unit>.*)' is not known)"
    r": add it to (?P<table>codes|units|drugs) of this site"
)
_UNKNOWN_DEVICE: Final = "no such word for oxygen-device"  # the word is in the message alone


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that is in no table of its site.

    Attributes:
        code: As it stands in a table.
        names: Its other components; empty: it has none.
        table: Of the site, in ``sites.yaml``.
    """

    code: str
    names: str
    table: str


def find_sent_code(detail: str) -> SentCode | None:
    """Return the unknown code of which the *detail* of a parked item tells; None: of none.

    >>> find_sent_code("no measure for XNEUT^L: add it to codes of this site in sites.yaml")
    SentCode(code='XNEUT', names='^L', table='codes')
    >>> find_sent_code("unit '10^9/L' is not known: add it to units of this site").code
    '10^9/L'
    """
    match = _UNKNOWN_CODE.search(detail)
    if match is None:
        return None
    table, text = match["table"], match["code"] or match["unit"] or ""
    code = find_own_code(table, text)
    return SentCode(code, text.removeprefix(code) if table != "units" else "", table)


def find_own_code(table: str, text: str) -> str:
    """Return the code of *text* as it stands in *table*, without its other components.

    A drug without a code goes by its name.

    >>> find_own_code("codes", "GALACTOMANNAN^L"), find_own_code("drugs", "^Blincyto^")
    ('GALACTOMANNAN', 'Blincyto')
    >>> find_own_code("units", "10^9/L"), find_own_code("codes", "^L")
    ('10^9/L', '')
    """
    if table not in ("codes", "drugs"):
        return text.strip()
    code, name = [part.strip() for part in (*text.split("^"), "")[:2]]
    return code or (name if table == "drugs" else "")


def was_sent(conn: Connection, keys: Keys, site: str, table: str, code: str) -> bool:
    """Return True if an item of *site* waits, or waited, for the meaning of *code* in *table*."""
    rows = parking.load_parked(conn, site=site, still_open=False)
    details = (row.detail for row in parking.reveal_details(keys, reversed(rows)))
    if table == "devices":
        return any(_UNKNOWN_DEVICE in detail for detail in details)
    sent_codes = (find_sent_code(detail) for detail in details)
    return any(
        one is not None and one.table == table and one.code in (code, quote_text(code))
        for one in sent_codes
    )
