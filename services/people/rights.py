"""Rights of roles: the acts that each may do, and the pages that each may see."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.vocabulary.person import Person, Role


class Act(StrEnum):
    """A thing that a person does; it is written down with who, when and why."""

    IMPORT = "import"  # participants from a file, messages from files
    ENTER_FACT = "enter a fact"
    CONFIRM = "confirm"  # a record; also to attribute it
    ADJUDICATE = "adjudicate"  # also to reject or regrade it
    SET_SERIOUSNESS = "set seriousness"
    ANSWER_QUERY = "answer a query"
    CLEAR_PARKED = "clear parked items"  # map, ignore or discard
    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    ESCALATE = "escalate"
    DETERMINE = "determine"
    SETTLE = "settle"  # where two readers of a record disagree
    START_CLOCK = "start a clock"
    CLOSE_CLOCK = "close a clock"
    RELEASE_REPORT = "release a report"
    SIGN_RULES = "sign rules"
    ACTIVATE = "activate"  # study files
    MANAGE_KEYS = "manage keys"
    RETRY = "retry"  # parked items, who was set aside
    REFOLD = "refold"
    MANAGE_PEOPLE = "manage people"


class Page(StrEnum):
    """A page of the console; for a role that may not see it, there is none."""

    WORKLIST = "worklist"
    PARTICIPANT = "participant"
    RECORD = "record"
    RULES = "rules"
    ALERTS = "alerts"
    CLOCKS = "clocks"
    QUERIES = "queries"
    PARKED = "parked"
    MESSAGE = "message"  # as it was sent, with identifiers
    SITES = "sites"
    PEOPLE = "people"
    AUDIT = "audit"
    HEALTH = "health"
    DELIVERIES = "deliveries"


_READS_BOARD: Final = frozenset(
    {Page.WORKLIST, Page.PARTICIPANT, Page.RECORD, Page.RULES, Page.ALERTS}
)
_STATISTICS: Final = frozenset({Page.WORKLIST, Page.RULES, Page.ALERTS})
_CLINICAL: Final = _READS_BOARD | {Page.CLOCKS, Page.QUERIES}

PAGES: Final[Mapping[Role, frozenset[Page]]] = MappingProxyType(
    {
        Role.SITE_STAFF: frozenset(
            {Page.WORKLIST, Page.PARTICIPANT, Page.ALERTS, Page.QUERIES, Page.PARKED, Page.MESSAGE}
        ),
        Role.INVESTIGATOR: _CLINICAL - {Page.RULES},
        Role.SAFETY_OFFICER: _CLINICAL | {Page.PARKED, Page.SITES, Page.DELIVERIES},
        Role.DSMB_MEMBER: _READS_BOARD,
        Role.DSMB_CHAIR: _READS_BOARD,
        Role.STATISTICIAN: _STATISTICS,
        Role.STATISTICIAN_UNBLINDED: _STATISTICS,
        Role.OPERATOR: frozenset({Page.WORKLIST, Page.SITES, Page.HEALTH, Page.DELIVERIES}),
        Role.AUDITOR: frozenset(Page) - {Page.MESSAGE},
        Role.ADMINISTRATOR: frozenset({Page.WORKLIST, Page.PEOPLE, Page.HEALTH}),
    }
)

_OF_DESK: Final = frozenset({Act.ACKNOWLEDGE})
ACTS: Final[Mapping[Role, frozenset[Act]]] = MappingProxyType(
    {
        Role.SITE_STAFF: _OF_DESK
        | {Act.IMPORT, Act.ENTER_FACT, Act.ANSWER_QUERY, Act.CLEAR_PARKED, Act.RETRY},
        Role.INVESTIGATOR: _OF_DESK
        | {Act.IMPORT, Act.ENTER_FACT, Act.ANSWER_QUERY, Act.CONFIRM, Act.SET_SERIOUSNESS},
        Role.SAFETY_OFFICER: _OF_DESK
        | {
            Act.IMPORT,
            Act.ENTER_FACT,
            Act.CONFIRM,
            Act.ADJUDICATE,
            Act.SET_SERIOUSNESS,
            Act.SNOOZE,
            Act.ESCALATE,
            Act.START_CLOCK,
            Act.CLOSE_CLOCK,
            Act.RELEASE_REPORT,
            Act.CLEAR_PARKED,
            Act.RETRY,
        },
        Role.DSMB_MEMBER: _OF_DESK,
        Role.DSMB_CHAIR: _OF_DESK | {Act.DETERMINE, Act.SETTLE},
        Role.STATISTICIAN: _OF_DESK | {Act.SIGN_RULES},
        Role.STATISTICIAN_UNBLINDED: _OF_DESK | {Act.SIGN_RULES},
        Role.OPERATOR: _OF_DESK | {Act.IMPORT, Act.MANAGE_KEYS, Act.RETRY, Act.REFOLD},
        Role.AUDITOR: frozenset(),
        Role.ADMINISTRATOR: frozenset(
            {Act.MANAGE_PEOPLE, Act.ACTIVATE, Act.MANAGE_KEYS, Act.REFOLD}
        ),
    }
)

# Before there is anybody, a machine may fill a new folder; everything else is a person's.
UNATTENDED_ACTS: Final = frozenset(
    {Act.IMPORT, Act.MANAGE_KEYS, Act.RETRY, Act.REFOLD, Act.ACTIVATE}
)
# They see what belongs to their own site alone; without a site they may be of none.
OF_ONE_SITE: Final = frozenset({Role.SITE_STAFF})


def find_acting_role(person: Person, act: Act) -> Role | None:
    """Return the role in which *person* may do *act*; None: they may not.

    >>> ann = Person("ann", "Ann", "", frozenset({Role.AUDITOR, Role.DSMB_CHAIR}))
    >>> find_acting_role(ann, Act.DETERMINE)
    <Role.DSMB_CHAIR: 'dsmb_chair'>
    >>> find_acting_role(ann, Act.SNOOZE) is None
    True
    """
    return next((role for role in Role if role in person.roles and act in ACTS[role]), None)


def list_roles_for(act: Act) -> list[Role]:
    """Return the roles that may do *act*."""
    return [role for role in Role if act in ACTS[role]]


def may_see(person: Person, page: Page) -> bool:
    """Return True if one of the roles of *person* sees *page*."""
    return any(page in PAGES[role] for role in person.roles)
