"""Parked items in groups that one decision clears, and messages that were refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import cache

from starlette.responses import Response

from services.acts.sent_codes import find_sent_code
from services.console.respond import render
from services.console.visit import Visit
from services.ingest.adapters.code_tables import load_code_tables
from services.people.rights import find_acting_role
from services.store import parking, refusals
from services.store.parking import ParkedRow
from services.vocabulary.act import ActKind

_MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """A code that waits for a meaning.

    Attributes:
        code: As the site sends it.
        table: Of the site, in ``sites.yaml``.
        suggestion: Our name that looks most like it; empty: none does.
    """

    code: str
    table: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class ParkedGroup:
    """Items of one site that wait for the same.

    Attributes:
        site: Id.
        reason: Of the closed set.
        detail: What is wrong and what to do, with the sender's words for who may read them.
        rows: Its items, oldest first.
    """

    site: str
    reason: str
    detail: str
    rows: tuple[ParkedRow, ...]

    @property
    def parked_since(self) -> datetime:
        """The instant at which the oldest was parked."""
        return self.rows[0].parked_at

    @property
    def unknown_code(self) -> UnknownCode | None:
        """The code for which they wait; None: they wait for something else."""
        sent_code = find_sent_code(self.detail)
        if sent_code is None:
            return None
        code, table = sent_code.code, sent_code.table
        return UnknownCode(code, table, suggest_name(table, code, sent_code.names))

    @property
    def places(self) -> str:
        """Some of the places in the messages."""
        places = list(dict.fromkeys(one.path for one in self.rows))
        more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
        return f"{', '.join(places[:_MOST_PLACES])}{more}"


def show(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show the groups of items that wait at the sites that the visitor sees."""
    context = visit.context
    with context.db.read() as conn:
        rows = parking.load_parked(conn, site=visit.person.site or None)
        refusals_newest_first = refusals.load_refusals(conn, visit.person.site or None)
    revealed_rows = parking.reveal_details(context.data.keys, rows)
    return render(
        visit,
        "parked.html",
        status,
        groups=group_items(revealed_rows),
        item_count=len(rows),
        refusals_newest_first=refusals_newest_first[::-1],
        may_clear=find_acting_role(visit.person, ActKind.DISCARD_PARKED) is not None,
        may_map=find_acting_role(visit.person, ActKind.MAP_CODE) is not None,
        names_by_table=list_names(),
        fault=fault,
    )


def group_items(rows: Iterable[ParkedRow]) -> list[ParkedGroup]:
    """Return *rows* by site, reason and detail, the largest group first."""
    groups: dict[tuple[str, str, str], list[ParkedRow]] = {}
    for row in rows:
        groups.setdefault((row.site, row.reason, row.detail), []).append(row)
    groups_by_size = [ParkedGroup(*key, tuple(items)) for key, items in groups.items()]
    return sorted(groups_by_size, key=lambda group: (-len(group.rows), group.parked_since))


@cache
def list_names() -> Mapping[str, list[str]]:
    """Return our names that a code may stand for, by table of a site."""
    tables = load_code_tables()
    return {
        "codes": sorted(tables.measures),
        "units": sorted(tables.units.dimensions),
        "drugs": sorted(set(tables.drugs.values())),
    }


def suggest_name(table: str, code: str, names: str | None) -> str:
    """Return our name that looks most like *code* or one of its *names*; empty: none does.

    >>> suggest_name("codes", "XNEUT", "^Neutrophils^L"), suggest_name("codes", "1", None)
    ('neutrophils', '')
    """
    by_word = {name.casefold(): name for name in list_names()[table]}
    for word in (code, *(names or "").split("^")):
        if close := get_close_matches(word.casefold(), by_word, n=1, cutoff=0.7):
            return by_word[close[0]]
    return ""
