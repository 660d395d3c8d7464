"""From roles to people, and by which channel each is reached."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from services.vocabulary.alert import Level


class Channel(StrEnum):
    """A means of delivery."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"  # of alerts about machines and feeds alone
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody, in one role, at one address; *name* is the key that rows and logs use.

    Of a person it is their id, and the address is that of the person.
    """

    role: str
    name: str
    channel: Channel
    address: str
    is_person: bool = False


@dataclass(frozen=True, slots=True)
class Recipients:
    """Everybody whom the study's file names, by role.

    Args:
        by_role: In the order of the file.
        each_acknowledges: Roles whose members acknowledge each for themselves; in any other role
            one does for all.
        absent: Persons who ended, or are not active yet; they are in no role.
    """

    by_role: Mapping[str, tuple[Recipient, ...]]
    each_acknowledges: frozenset[str] = frozenset()
    absent: tuple[Recipient, ...] = ()

    def list_all(self) -> list[Recipient]:
        """Return everybody in any role, in the order of the file."""
        return [one for rows in self.by_role.values() for one in rows]

    def select_for(self, level: Level) -> "Recipients":
        """Return those who may be told of alerts of *level*: an Alertmanager of machines alone."""
        if level is Level.OPERATIONS:
            return self
        by_role = {
            role: tuple(one for one in rows if one.channel is not Channel.ALERTMANAGER)
            for role, rows in self.by_role.items()
        }
        return replace(self, by_role=by_role)

    def lacks_somebody(self, roles: Iterable[str]) -> bool:
        """Return True if a person of one of *roles* is absent."""
        return not {one.role for one in self.absent}.isdisjoint(roles)

    def list_in_roles(self, roles: Iterable[str]) -> list[Recipient]:
        """Return the recipients in any of *roles*, each address once."""
        return remove_repeated_addresses(
            one for role in roles for one in self.by_role.get(role, ())
        )

    def names(self, name: str) -> bool:
        """Return True while somebody in any role is called *name*."""
        return any(one.name == name for one in self.list_all())

    def find(self, role: str, name: str, channel: str) -> Recipient | None:
        """Return the recipient of a stored notice; None when the file no longer names it."""
        candidates = self.by_role.get(role, ())
        return next((r for r in candidates if (r.name, r.channel) == (name, channel)), None)


def remove_repeated_addresses(recipients: Iterable[Recipient]) -> list[Recipient]:
    """Return *recipients*, in order, less those whose address came before."""
    by_address: dict[tuple[Channel, str], Recipient] = {}
    for recipient in recipients:
        by_address.setdefault((recipient.channel, recipient.address), recipient)
    return list(by_address.values())
