"""The areas of the console: one that none of a person's roles may see does not exist for them."""

from dataclasses import dataclass
from typing import Final

from services.people.rights import BOARD_ROLES, PAGES, Page
from services.vocabulary.person import Person


@dataclass(frozen=True, slots=True)
class Area:
    """Pages that the same roles see.

    Attributes:
        address: Of the first of them.
        name: In the menu; empty: they are reached from others.
        page: As the rights of roles name them; None: it is for everybody.
        is_of_board: They are read through the views of the DSMB, and are for it alone; its members
            see no others.
    """

    address: str
    name: str
    page: Page | None
    is_of_board: bool = False

    def is_for(self, person: Person) -> bool:
        """Return True if one of the roles of *person* sees it."""
        if self.page is None:
            return True
        roles = person.roles & BOARD_ROLES if self.is_of_board else person.roles - BOARD_ROLES
        return any(self.page in PAGES[role] for role in roles)


WORKLIST: Final = Area("/worklist", "Worklist", Page.WORKLIST)
BOARD: Final = Area("/board", "Board", Page.RULES, is_of_board=True)
PARTICIPANTS: Final = Area("/participants", "Participants", Page.PARTICIPANT)
RECORDS: Final = Area("/records", "", Page.RECORD)
RULES: Final = Area("/rules", "Rules", Page.RULES)
ALERTS: Final = Area("/alerts", "Alerts", Page.ALERTS)
CLOCKS: Final = Area("/clocks", "SAE clocks", Page.CLOCKS)
QUERIES: Final = Area("/queries", "Queries", Page.QUERIES)
PARKED: Final = Area("/parked", "Parked", Page.PARKED)
SITES: Final = Area("/sites", "Sites", Page.SITES)
PEOPLE: Final = Area("/people", "People", Page.PEOPLE)
AUDIT: Final = Area("/audit", "Audit", Page.AUDIT)
HEALTH: Final = Area("/health", "Health", Page.HEALTH)
ACCOUNT: Final = Area("/me", "Account", None)

AREAS: Final = (
    WORKLIST, BOARD, PARTICIPANTS, RECORDS, RULES, ALERTS, CLOCKS, QUERIES, PARKED, SITES, PEOPLE,
    AUDIT, HEALTH, ACCOUNT,
)  # fmt: skip


def list_links(person: Person) -> tuple[Area, ...]:
    """Return the areas in the menu of *person*."""
    return tuple(area for area in AREAS if area.name and area.is_for(person))


def find_home(person: Person) -> str:
    """Return the address of the page on which *person* begins.

    >>> from services.vocabulary.person import Role
    >>> chair = Person("ann", "Ann", "", frozenset({Role.DSMB_CHAIR}))
    >>> find_home(chair), find_home(Person("joe", "Joe", "", frozenset({Role.OPERATOR})))
    ('/board', '/worklist')
    """
    return next(iter(list_links(person))).address
