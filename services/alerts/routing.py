"""The routing of alerts that were not raised: who would be told first, and who next."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.alerts.acknowledgement import describe_grade, find_short_name, write_alert_text
from services.alerts.domain.routes import Recipient, Recipients
from services.vocabulary.alert import Alert
from services.vocabulary.person import Role


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one alert.

    Args:
        alert: As it would be raised.
        subject: Of its first notice.
        first: Its first recipients.
        next_roles: Roles that it goes to, one after the other, while nobody acknowledges.
        each_acknowledges: Those of its roles in which everybody acknowledges for themselves.
    """

    alert: Alert
    subject: str
    first: tuple[Recipient, ...]
    next_roles: tuple[str, ...]
    each_acknowledges: tuple[str, ...]

    @property
    def name(self) -> str:
        """The four letters of the alert."""
        return find_short_name(self.alert)

    @property
    def grade(self) -> str:
        """Its grade, number of events, or recommendation."""
        return describe_grade(self.alert)


def find_routes(alerts: Sequence[Alert], recipients: Recipients) -> list[Route]:
    """Return the route of each of *alerts*; where a role names nobody, the operator is told."""
    return [_find_route(alert, recipients.select_for(alert.level)) for alert in alerts]


def _find_route(alert: Alert, recipients: Recipients) -> Route:
    first = recipients.list_in_roles(alert.roles) or recipients.list_in_roles((Role.OPERATOR,))
    return Route(
        alert,
        write_alert_text(alert, "").subject,
        tuple(first),
        alert.escalate_to,
        tuple(role for role in alert.roles if role in recipients.each_acknowledges),
    )
