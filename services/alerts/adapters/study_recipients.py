"""The recipients of a study, each with one channel."""

from pathlib import Path

from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.runtime.recipients_file import RECIPIENTS, RecipientRow, read_recipients_file


def find_recipients(folder: Path) -> Recipients:
    """Return everybody whom the study in *folder* names; nobody without the file.

    Raises:
        UntrustedFileError: ``recipients.yaml`` cannot be trusted.
    """
    return load_recipients(folder) if (folder / RECIPIENTS).exists() else Recipients({})


def load_recipients(folder: Path) -> Recipients:
    """Return everybody whom the study in *folder* names.

    Raises:
        UntrustedFileError: ``recipients.yaml`` cannot be trusted.
    """
    content = read_recipients_file(folder)
    return Recipients(
        {
            role: tuple(_make_recipient(role, row) for row in rows)
            for role, rows in content.roles.items()
        },
        frozenset(role for role, who in content.acknowledge.items() if who == "each"),
    )


def _make_recipient(role: str, row: RecipientRow) -> Recipient:
    if row.person:
        return Recipient(role, row.person, Channel.EMAIL, row.email, is_person=True)
    ((channel, address),) = row.addresses.items()
    return Recipient(role, row.name, Channel(channel), address)
