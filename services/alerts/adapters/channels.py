"""Every channel that is set up, by its name."""

from collections.abc import Mapping

from services.alerts.adapters.alertmanager import make_alertmanager_channel
from services.alerts.adapters.chat import make_chat_channel
from services.alerts.adapters.smtp import make_smtp_channel
from services.alerts.adapters.webhook import make_webhook_channel
from services.alerts.channel_contract import Send
from services.alerts.domain.routes import Channel
from services.runtime.settings import AlertSettings


def make_channels(settings: AlertSettings) -> Mapping[Channel, Send]:
    """Return the function by which each channel sends."""
    return {
        Channel.EMAIL: make_smtp_channel(settings),
        Channel.WEBHOOK: make_webhook_channel(settings),
        Channel.ALERTMANAGER: make_alertmanager_channel(settings),
        Channel.CHAT: make_chat_channel(settings),
    }
