"""Stored data alone, for commands that print what the tables hold and need no rule of the study.

To load a study is to recompute every boundary of its protocol, which takes a second. Where the
data folder remembers its study, these commands do without.
"""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass

from services.cli.command import CommandError
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.keys_of_data import load_keys_of_data
from services.cli.shared.open_database import open_database, require_data
from services.cli.shared.study_of_data import recall_study
from services.runtime.store_settings import StoreSettings
from services.store import participants
from services.store.participants import Participant
from services.store.revisions import find_head, find_revisions
from services.store.session import Connection, Database
from services.store.vault import VaultError


@dataclass(frozen=True, slots=True)
class StoredData:
    """A database and the study whose data it holds."""

    settings: StoreSettings
    db: Database
    study_id: str


def open_stored_data(args: Namespace) -> StoredData:
    """Return the data that a command is told of.

    Raises:
        CommandError: There are none, or a key is missing or another; and see `read_in`, by which
            data are opened where the study has to be loaded.
    """
    settings = read_chosen_settings(args)
    if (data := open_folder_data(settings)) is not None:
        return data
    # Seldom: a server, or another folder of the study is named; an older database is refused.
    from services.cli.shared.open_study import read_in  # noqa: PLC0415 (it takes a second)

    context = read_in(settings)
    return StoredData(context.settings, context.db, context.study_id)


def open_folder_data(settings: StoreSettings) -> StoredData | None:
    """Return the data of a folder that remembers its study; None: the study has to be loaded.

    That is on a server, of an older database, and where another folder of the study is named.

    Raises:
        CommandError: There are none, or a key is missing or another.
    """
    data_study = recall_study(settings)
    if data_study is None or (
        settings.is_study_chosen and settings.study.absolute() != data_study.folder
    ):
        return None
    db = open_database(settings)
    require_data(settings, db)
    with db.read() as conn:
        is_newest = find_revisions(conn) == (find_head(),)
    if not is_newest:
        return None
    _require_keys(settings, db)
    return StoredData(settings, db, data_study.study_id)


def _require_keys(settings: StoreSettings, db: Database) -> None:
    """Require the keys of the database, though tables are read without them: as everywhere."""
    try:
        load_keys_of_data(db, settings.keys_folder)
    except VaultError as error:
        db.close()
        raise CommandError(str(error)) from error


def find_participants(
    conn: Connection, study_id: str, subject: str | None = None
) -> Mapping[str, Participant]:
    """Return the participants by pseudonym, the study itself among them.

    Raises:
        CommandError: Nobody is called *subject*.
    """
    by_subject = participants.load_participants(conn, study_id)
    if subject is not None and subject not in by_subject:
        raise CommandError(f"nobody is called {subject}: `aegis participants list`")
    return by_subject
