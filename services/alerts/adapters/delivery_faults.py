"""Warnings of what keeps people from being told: roles, the secret of webhooks, the mail server."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.adapters.smtp import find_mail_server_problem
from services.alerts.domain.routes import Channel, Recipients
from services.alerts.recipient_people import resolve_people
from services.runtime.clock import Clock
from services.runtime.recipients_file import RECIPIENTS
from services.runtime.settings import AlertSettings
from services.runtime.standing_warnings import StandingWarnings
from services.store.session import Connection
from services.vocabulary.person import Role

_MAIL_EVERY_S = 30.0
_NO_MAIL_SERVER = "mail_server_unreachable"
_PERSON_ABSENT = "recipient_absent"


@dataclass(frozen=True, slots=True)
class DeliveryFault:
    """A reason for which somebody would not be told: its fixed name, and one sentence."""

    name: str
    problem: str


def list_delivery_faults(
    recipients: Recipients, settings: AlertSettings
) -> Iterator[DeliveryFault]:
    """Yield the reasons for which some of *recipients* would not be told, servers apart."""
    if not recipients.by_role:
        yield DeliveryFault("nobody_is_told", f"there is no {RECIPIENTS}: nobody is told of alerts")
    elif Role.OPERATOR not in recipients.by_role:
        yield DeliveryFault(
            "no_operator",
            f"{RECIPIENTS} names no {Role.OPERATOR}: nobody is told when a notice cannot be"
            " delivered",
        )
    if _uses(recipients, Channel.WEBHOOK) and settings.webhook_secret_file is None:
        yield DeliveryFault(
            "no_webhook_secret",
            f"{RECIPIENTS} names webhooks, and AEGIS_WEBHOOK_SECRET_FILE no secret: none is sent",
        )
    if _uses(recipients, Channel.CHAT) and settings.chat_urls_file is None:
        yield DeliveryFault(
            "no_chat_urls",
            f"{RECIPIENTS} names chats, and AEGIS_CHAT_URLS_FILE no file of them: none is sent",
        )


def list_absent_people(recipients: Recipients) -> Iterator[str]:
    """Yield a sentence for each person who is named and not active (`resolve_people`)."""
    roles_by_name: dict[str, list[str]] = {}
    for recipient in recipients.absent:
        roles_by_name.setdefault(recipient.name, []).append(recipient.role)
    for name, roles in roles_by_name.items():
        stand_in = Role.OPERATOR if recipients.by_role.get(Role.OPERATOR) else "nobody"
        yield (
            f"{RECIPIENTS} names {name} ({', '.join(roles)}), who is not active:"
            f" {stand_in} is told instead"
        )


@dataclass(slots=True)
class AbsenceWarnings:
    """A warning for each person among *recipients* who has ended, or is not active yet."""

    recipients: Recipients
    warnings: StandingWarnings
    clock: Clock
    _problems: tuple[str, ...] = ()

    def show(self, conn: Connection) -> None:
        """Show once what the table of persons says."""
        present_recipients = resolve_people(conn, self.recipients, self.clock())
        problems = tuple(list_absent_people(present_recipients))
        if problems != self._problems:
            self.warnings.end(_PERSON_ABSENT)
            for problem in problems:
                self.warnings.begin(_PERSON_ABSENT, problem)
            self._problems = problems


def watch_mail_server(
    warnings: StandingWarnings, settings: AlertSettings, stop: threading.Event
) -> None:
    """Warn while the mail server does not answer; return when it does, or *stop* is set.

    Once it has answered, the attempts to deliver say the rest.
    """
    while (problem := find_mail_server_problem(settings)) is not None:
        warnings.begin(_NO_MAIL_SERVER, f"{problem}: notices by mail wait")
        if stop.wait(_MAIL_EVERY_S):
            return
    warnings.end(_NO_MAIL_SERVER)


def uses_mail(recipients: Recipients) -> bool:
    """Return True when any of *recipients* is told by mail."""
    return _uses(recipients, Channel.EMAIL)


def _uses(recipients: Recipients, channel: Channel) -> bool:
    return any(one.channel is channel for one in recipients.list_all())
