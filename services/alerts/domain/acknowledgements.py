"""The people who have to acknowledge an alert, and those of them who have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.alerts.domain.routes import Channel, Recipients
from services.vocabulary.alert import Alert


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Confirmation that *person* has seen the alert at *grade*."""

    acknowledged_at: datetime
    grade: int
    person: str = ""
    comment: str = ""


def select_valid_acknowledgements(
    alert: Alert, acknowledgements: Iterable[Acknowledgement], told_since: datetime | None
) -> list[Acknowledgement]:
    """Return the acknowledgements of the alert as it stands, in their order.

    One at a lower grade, or from before *told_since* (the first notice since a retraction;
    None: there is none), says nothing about what is so now.
    """
    return [
        one
        for one in acknowledgements
        if one.grade >= alert.grade and (told_since is None or one.acknowledged_at >= told_since)
    ]


def list_waiting_roles(
    alert: Alert, recipients: Recipients, acknowledgements: Sequence[Acknowledgement]
) -> tuple[str, ...]:
    """Return the roles of *alert* that have not acknowledged it, in order.

    Args:
        alert: As it stands.
        recipients: Of the study.
        acknowledgements: Those that are valid.
    """
    people = {one.person for one in acknowledgements}
    return tuple(
        role for role in alert.roles if not _has_acknowledged(alert, recipients, role, people)
    )


def list_missing_people(
    alert: Alert, recipients: Recipients, acknowledgements: Sequence[Acknowledgement]
) -> tuple[str, ...]:
    """Return the names of those who have to acknowledge and have not, each once.

    Of a role in which one acknowledges for all these are everybody.
    """
    people = {one.person for one in acknowledgements}
    names = (
        name
        for role in list_waiting_roles(alert, recipients, acknowledgements)
        for name in _list_names(recipients, role)
        if name not in people
    )
    return tuple(dict.fromkeys(names))


def _has_acknowledged(
    alert: Alert, recipients: Recipients, role: str, people: Iterable[str]
) -> bool:
    """Return True when *role* knows: each of its members, or anybody but members of other roles."""
    if role in recipients.each_acknowledges and (members := _list_members(recipients, role)):
        return members <= set(people)
    members = set(_list_names(recipients, role))
    other_names = {
        name
        for other_role in alert.roles
        if other_role != role
        for name in _list_names(recipients, other_role)
    }
    return any(person in members or person not in other_names for person in people)


def _list_members(recipients: Recipients, role: str) -> set[str]:
    """Return the people in *role*; a system cannot acknowledge for itself."""
    rows = recipients.by_role.get(role, ())
    return {one.name for one in rows if one.channel is Channel.EMAIL}


def _list_names(recipients: Recipients, role: str) -> list[str]:
    return [one.name for one in recipients.by_role.get(role, ())]
