"""Every channel that is set up, by its name."""

from collections.abc import Mapping

from services.alerts.adapters.smtp import smtp_channel
from services.alerts.adapters.webhook import webhook_channel
from services.alerts.domain.routes import Channel
from services.alerts.ports import Send
from services.runtime.settings import AlertSettings


def channels_of(settings: AlertSettings) -> Mapping[Channel, Send]:
    """Return the function by which each channel sends."""
    return {Channel.EMAIL: smtp_channel(settings), Channel.WEBHOOK: webhook_channel(settings)}
