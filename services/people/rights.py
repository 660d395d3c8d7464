"""Rights of roles: the acts that each may do, and the pages that each may see."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.vocabulary.act import ActKind
from services.vocabulary.alert import Level
from services.vocabulary.judgement import Verdict
from services.vocabulary.person import Person, Role


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
        Role.OPERATOR: frozenset(
            {Page.WORKLIST, Page.ALERTS, Page.SITES, Page.HEALTH, Page.DELIVERIES}
        ),
        Role.AUDITOR: frozenset(Page) - {Page.MESSAGE},
        Role.ADMINISTRATOR: frozenset({Page.WORKLIST, Page.ALERTS, Page.PEOPLE, Page.HEALTH}),
    }
)

# Alerts that a role reads; records are as alerts of participants. The board has views of its own.
LEVELS: Final[Mapping[Role, frozenset[Level]]] = MappingProxyType(
    {
        Role.SITE_STAFF: frozenset(Level),
        Role.INVESTIGATOR: frozenset(Level),
        Role.SAFETY_OFFICER: frozenset(Level),
        Role.DSMB_MEMBER: frozenset(),
        Role.DSMB_CHAIR: frozenset(),
        Role.STATISTICIAN: frozenset({Level.STUDY}),
        Role.STATISTICIAN_UNBLINDED: frozenset({Level.STUDY}),
        Role.OPERATOR: frozenset({Level.OPERATIONS}),
        Role.AUDITOR: frozenset(Level),
        Role.ADMINISTRATOR: frozenset({Level.OPERATIONS}),
    }
)

# The words of a protocol for those whom an alert is for, where no role is called so.
_ROLES_BY_WORD: Final[Mapping[str, frozenset[Role]]] = MappingProxyType(
    {
        "dsmb": frozenset({Role.DSMB_MEMBER, Role.DSMB_CHAIR}),
        "principal_investigator": frozenset({Role.INVESTIGATOR}),
    }
)

_SEES_ALERTS: Final = frozenset({ActKind.ACKNOWLEDGE})
_ENTERS: Final = frozenset(
    {ActKind.ENTER_FACT, ActKind.IMPORT_PARTICIPANTS, ActKind.IMPORT_MESSAGES}
)
_CLEARS: Final = frozenset(
    {
        ActKind.RETRY_PARKED,
        ActKind.MAP_CODE,
        ActKind.IGNORE_CODE,
        ActKind.DISCARD_PARKED,
        ActKind.LOOK_AT_MESSAGE,
    }
)
_JUDGES: Final = frozenset(
    {
        ActKind.READ_RECORD,
        ActKind.ADJUDICATE,
        ActKind.SET_SERIOUSNESS,
        ActKind.ASSIGN,
    }  # see `VERDICTS`
)
_KEEPS_KEYS: Final = frozenset({ActKind.ADD_KEY, ActKind.REVOKE_KEY})

ACTS: Final[Mapping[Role, frozenset[ActKind]]] = MappingProxyType(
    {
        Role.SITE_STAFF: _SEES_ALERTS | _ENTERS | _CLEARS | {ActKind.ANSWER_QUERY},
        Role.INVESTIGATOR: _SEES_ALERTS | _ENTERS | _JUDGES | {ActKind.ANSWER_QUERY},
        Role.SAFETY_OFFICER: _SEES_ALERTS
        | _ENTERS
        | _JUDGES
        | _CLEARS
        | {
            ActKind.SNOOZE,
            ActKind.ESCALATE,
            ActKind.REVOKE_LINK,
            ActKind.START_CLOCK,
            ActKind.CLOSE_CLOCK,
        },
        Role.DSMB_MEMBER: _SEES_ALERTS,
        Role.DSMB_CHAIR: _SEES_ALERTS | {ActKind.DETERMINE, ActKind.SETTLE},
        Role.STATISTICIAN: _SEES_ALERTS | {ActKind.SIGN_PROTOCOL},
        Role.STATISTICIAN_UNBLINDED: _SEES_ALERTS | {ActKind.SIGN_PROTOCOL},
        Role.OPERATOR: _SEES_ALERTS
        | _KEEPS_KEYS
        | {
            ActKind.IMPORT_PARTICIPANTS,
            ActKind.IMPORT_MESSAGES,
            ActKind.RETRY_PARKED,
            ActKind.RETRY_PARTICIPANT,
            ActKind.REFOLD,
            ActKind.REVOKE_LINK,
        },
        Role.AUDITOR: frozenset(),
        Role.ADMINISTRATOR: _KEEPS_KEYS
        | {
            ActKind.ADD_PERSON,
            ActKind.CHANGE_PERSON,
            ActKind.RESET_PERSON,
            ActKind.END_PERSON,
            ActKind.ACTIVATE_STUDY,
            ActKind.REFOLD,
        },
    }
)

# Who does not adjudicate in full; the others may give any verdict.
VERDICTS: Final[Mapping[Role, frozenset[Verdict]]] = MappingProxyType(
    {Role.INVESTIGATOR: frozenset({Verdict.CONFIRM, Verdict.ATTRIBUTE})}
)

# Before there is anybody, a machine may fill a new folder; everything else is a person's.
UNATTENDED_ACTS: Final = _KEEPS_KEYS | {
    ActKind.ACTIVATE_STUDY,
    ActKind.IMPORT_PARTICIPANTS,
    ActKind.IMPORT_MESSAGES,
    ActKind.RETRY_PARKED,
    ActKind.RETRY_PARTICIPANT,
    ActKind.REFOLD,
}
# They see what belongs to their own site alone; without a site they may be of none.
OF_ONE_SITE: Final = frozenset({Role.SITE_STAFF})
BOARD_ROLES: Final = frozenset({Role.DSMB_MEMBER, Role.DSMB_CHAIR})
# Who conducts the trial is judged by the board, and is not of it.
CONDUCT_ROLES: Final = frozenset(
    {Role.ADMINISTRATOR, Role.SAFETY_OFFICER, Role.INVESTIGATOR, Role.SITE_STAFF}
)
_MAY_BE_OF_ONE_SITE: Final = frozenset({Role.INVESTIGATOR})


def find_acting_role(person: Person, act: ActKind) -> Role | None:
    """Return the role in which *person* may do *act*; None: they may not.

    >>> ann = Person("ann", "Ann", "", frozenset({Role.AUDITOR, Role.DSMB_CHAIR}))
    >>> find_acting_role(ann, ActKind.DETERMINE)
    <Role.DSMB_CHAIR: 'dsmb_chair'>
    >>> find_acting_role(ann, ActKind.SNOOZE) is None
    True
    """
    return next((role for role in Role if role in person.roles and act in ACTS[role]), None)


def find_verdict_role(person: Person, verdict: Verdict) -> Role | None:
    """Return the role in which *person* may give *verdict* about a record; None: they may not.

    >>> lee = Person("lee", "Lee", "", frozenset({Role.INVESTIGATOR}))
    >>> find_verdict_role(lee, Verdict.CONFIRM)
    <Role.INVESTIGATOR: 'investigator'>
    >>> find_verdict_role(lee, Verdict.REJECT) is None
    True
    """
    return next((role for role in list_verdict_roles(verdict) if role in person.roles), None)


def covers_site(person: Person, role: Role, site: str) -> bool:
    """Return True if *person* acts for *site*, and sees it, in *role*.

    >>> lee = Person("lee", "Lee", "", frozenset({Role.INVESTIGATOR}), "west")
    >>> covers_site(lee, Role.INVESTIGATOR, "west"), covers_site(lee, Role.INVESTIGATOR, "east")
    (True, False)
    >>> covers_site(lee, Role.AUDITOR, "east")
    True
    """
    is_limited = role in OF_ONE_SITE or (role in _MAY_BE_OF_ONE_SITE and bool(person.site))
    return not is_limited or person.site == site


def list_verdict_roles(verdict: Verdict) -> list[Role]:
    """Return the roles that may give *verdict* about a record."""
    every = frozenset(Verdict)
    return [
        role for role in list_roles_for(ActKind.ADJUDICATE) if verdict in VERDICTS.get(role, every)
    ]


def list_roles_for(act: ActKind) -> list[Role]:
    """Return the roles that may do *act*."""
    return [role for role in Role if act in ACTS[role]]


def list_levels(person: Person) -> frozenset[Level]:
    """Return the levels of the alerts that *person* reads; records are of participants.

    >>> sorted(list_levels(Person("joe", "Joe", "", frozenset({Role.OPERATOR}))))
    [<Level.OPERATIONS: 'operations'>]
    """
    return frozenset().union(*(LEVELS[role] for role in person.roles))


def list_roles_called(word: str) -> frozenset[Role]:
    """Return the roles that a protocol calls *word*; none: a word of the study's own.

    >>> sorted(list_roles_called("dsmb")), list_roles_called("data_manager")
    ([<Role.DSMB_CHAIR: 'dsmb_chair'>, <Role.DSMB_MEMBER: 'dsmb_member'>], frozenset())
    """
    return _ROLES_BY_WORD.get(word, frozenset(role for role in Role if role == word))


def may_look_after(person: Person, site: str) -> bool:
    """Return True if *person* sees the pages of records of *site*, and does something there.

    >>> may_look_after(Person("kim", "Kim", "", frozenset({Role.SITE_STAFF}), "west"), "west")
    False
    >>> lee = Person("lee", "Lee", "", frozenset({Role.INVESTIGATOR}), "west")
    >>> may_look_after(lee, "west"), may_look_after(lee, "east")
    (True, False)
    """
    roles = (role for role in person.roles - BOARD_ROLES if Page.RECORD in PAGES[role])
    return person.site in ("", site) and any(ACTS[role] for role in roles)


def may_see(person: Person, page: Page) -> bool:
    """Return True if one of the roles of *person* sees *page*."""
    return any(page in PAGES[role] for role in person.roles)
