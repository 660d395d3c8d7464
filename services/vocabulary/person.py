"""Persons: who acts, in which role, and for which site."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The function of a person in a study; it decides what they see and do."""

    ADMINISTRATOR = "administrator"
    SAFETY_OFFICER = "safety_officer"
    DSMB_MEMBER = "dsmb_member"
    DSMB_CHAIR = "dsmb_chair"
    STATISTICIAN = "statistician"
    STATISTICIAN_UNBLINDED = "statistician_unblinded"
    INVESTIGATOR = "investigator"
    SITE_STAFF = "site_staff"
    OPERATOR = "operator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the study team or of its board, who may sign in.

    Attributes:
        id: The word by which they sign in.
        name: As it stands on signatures.
        email: Where notices go.
        roles: In this study.
        site: Of site staff and investigators: the one whose participants they see; empty: all.
    """

    id: str
    name: str
    email: str
    roles: frozenset[Role]
    site: str = ""


class SignedBy(StrEnum):
    """The proof of identity that a person gives for one act."""

    NOTHING = ""  # being signed in is enough for it
    PASSWORD = "password"  # noqa: S105  # given again
    PROVIDER = "provider"  # asked again


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who acts in one of their roles, or a machine that acts as itself.

    Attributes:
        id: The person's, or the name of the process.
        name: The person's as it stands on signatures, or the name of the process.
        role: None: a machine.
        signed_by: The proof that was given for this act.
    """

    id: str
    name: str
    role: Role | None = None
    signed_by: SignedBy = SignedBy.NOTHING
