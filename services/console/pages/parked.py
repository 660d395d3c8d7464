"""Parked items in groups that one decision clears, and messages that were refusals_newest_first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from services.console.respond import render
from services.console.visit import Visit
from services.people.rights import find_acting_role
from services.store import parking, refusals
from services.store.parking import ParkedRow
from services.vocabulary.act import ActKind

_MOST_PLACES = 5


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
        fault=fault,
    )


def group_items(rows: Iterable[ParkedRow]) -> list[ParkedGroup]:
    """Return *rows* by site, reason and detail, the largest group first."""
    groups: dict[tuple[str, str, str], list[ParkedRow]] = {}
    for row in rows:
        groups.setdefault((row.site, row.reason, row.detail), []).append(row)
    groups_by_size = [ParkedGroup(*key, tuple(items)) for key, items in groups.items()]
    return sorted(groups_by_size, key=lambda group: (-len(group.rows), group.parked_since))
