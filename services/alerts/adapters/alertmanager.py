"""Alerts about machines and feeds to an Alertmanager, by its API of version 2.

It groups, routes and silences for those who watch the machine. Alerts about participants and the
study never go there.
"""

from datetime import timedelta

import httpx

from services.alerts.adapters.http_attempt import attempt_post
from services.alerts.channel_contract import Acceptance, Failure, Letter, Send, contain_errors
from services.runtime.settings import AlertSettings
from services.vocabulary.alert import Level

_TIMEOUT_S = 20.0
_LEAST_FIRING = timedelta(hours=1)


def make_alertmanager_channel(_settings: AlertSettings) -> Send:
    """Return a function that posts a letter to the Alertmanager at a URL."""

    def send(letter: Letter, address: str) -> Acceptance | Failure:
        if letter.alert.level is not Level.OPERATIONS:
            return Failure("an Alertmanager is told of machines and feeds alone", can_retry=False)

        def post() -> int:
            url = f"{address.rstrip('/')}/api/v2/alerts"
            return httpx.post(url, json=[write_alert(letter)], timeout=_TIMEOUT_S).status_code

        return attempt_post("Alertmanager", post)

    return contain_errors(send)


def write_alert(letter: Letter) -> dict[str, object]:
    """Return the alert as Alertmanager reads it: the same labels each time, so that it is one.

    It fires until the reminder after next would be due, or ends once it is closed or
    retracted.
    """
    alert = letter.alert
    firing_time = max(_LEAST_FIRING, 2 * timedelta(seconds=alert.acknowledge_within_s))
    ends_at = letter.dated_at + firing_time if alert.is_open else letter.dated_at
    words = "".join(part.capitalize() for part in alert.kind.split("_"))
    return {
        "labels": {
            "alertname": f"Aegis{words}",
            "alert": alert.id,
            "study": alert.study,
            "about": alert.about,
            "severity": "page",
        },
        "annotations": {
            "summary": letter.text.subject,
            "description": letter.text.body,
            "delivery": letter.id,
        },
        "startsAt": alert.opened_at.isoformat(),
        "endsAt": ends_at.isoformat(),
        "generatorURL": letter.text.link,
    }
