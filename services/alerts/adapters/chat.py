"""Notices to a chat, by way of Apprise, which speaks to each of them.

The address of a chat holds a secret: ``recipients.yaml`` names a chat, and a file of its own says
where that is, one ``NAME URL`` to a line (https://github.com/caronc/apprise/wiki lists the URLs).
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from services.alerts.channel_contract import Acceptance, Failure, Letter, Send, contain_errors
from services.runtime.settings import AlertSettings


def make_chat_channel(settings: AlertSettings) -> Send:
    """Return a function that posts a letter to a chat that the file of *settings* names."""

    def send(letter: Letter, address: str) -> Acceptance | Failure:
        if settings.chat_urls_file is None:
            return Failure("no chat is set up: name their file in AEGIS_CHAT_URLS_FILE")
        url = read_chat_urls(settings.chat_urls_file).get(address)
        if url is None:
            return Failure("AEGIS_CHAT_URLS_FILE has no chat of this name")
        return _post(letter, url)

    return contain_errors(send)


def read_chat_urls(path: Path) -> Mapping[str, str]:
    """Return the URL of each chat, by name; a line that is empty or begins with # is none."""
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    pairs = (words for words in lines if len(words) == 2 and not words[0].startswith("#"))  # noqa: PLR2004
    return {name: url.strip() for name, url in pairs}


def _post(letter: Letter, url: str) -> Acceptance | Failure:
    try:
        import apprise  # noqa: PLC0415 (an extra, and slow to load)
    except ImportError:
        return Failure("Apprise is not installed: pip install 'aegis[chat]'")
    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its messages name the URL
    gateway = apprise.Apprise()
    if not gateway.add(url):
        return Failure("its address is none that Apprise knows", can_retry=False)
    name = f"(notice {letter.id})"
    body = f"{letter.text.body}{name}\n"
    is_taken = gateway.notify(
        title=letter.text.subject, body=body, body_format=apprise.NotifyFormat.TEXT
    )
    return Acceptance() if is_taken else Failure("the chat did not take it")
