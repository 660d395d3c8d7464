"""The keys of stored data, for the few commands that show what only their holder may read."""

from services.cli.command import CommandError
from services.cli.shared.stored_data import StoredData
from services.store.vault import Keys, VaultError


def load_stored_keys(data: StoredData) -> Keys:
    """Return the keys of *data*, for the words of senders that only their holder may read.

    Raises:
        CommandError: One is missing, or cannot be used.
    """
    try:
        return Keys.load(data.settings.keys_folder)
    except VaultError as error:
        raise CommandError(str(error)) from error
