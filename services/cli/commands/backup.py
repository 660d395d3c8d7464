"""``aegis backup``: the database and its keys as they are at one instant, while others write."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.cli.command import CommandError
from services.cli.shared.backup_folder import (
    DUMP_FILE,
    KEYS,
    SQLITE_FILE,
    Backup,
    hash_file,
    require_fit,
    require_no_files,
    write_description,
)
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.installed import find_installed_version
from services.cli.shared.keys_of_data import load_keys_of_data
from services.cli.shared.open_database import (
    describe_unreachable,
    name_database,
    open_database,
    require_data,
)
from services.cli.shared.study_of_data import recall_study
from services.cli.shared.verification import count_stored
from services.runtime.clock import now_utc
from services.runtime.store_settings import StoreSettings
from services.store import audit_anchor, key_files, protocols, server_copy, sqlite_copy, vault
from services.store.file_faults import RESTORE
from services.store.private_files import make_private_folder
from services.store.revisions import find_head, find_revisions
from services.store.session import Database, DatabaseError

_REMEDY = "a backup needs a new folder"


def perform(args: Namespace) -> int:
    """Make a backup, and prove that it can be read with the keys beside it."""
    settings = read_chosen_settings(args)
    db = open_database(settings)
    require_data(settings, db)
    keys_folder: Path = args.keys_to or args.folder / KEYS
    for folder in (args.folder, keys_folder):
        require_no_files(folder, _REMEDY)
    try:
        summary = _write_backup(settings, db, args.folder, keys_folder)
    except (vault.VaultError, server_copy.ServerCopyError) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(describe_unreachable(settings, error)) from error
    finally:
        db.close()
    print(f"{args.folder}: {summary}; the keys are in {keys_folder}: keep them elsewhere")
    return 0


def _write_backup(settings: StoreSettings, db: Database, folder: Path, keys_folder: Path) -> str:
    """Write database, keys and description, in this order: a new key is among the keys copied."""
    made_at, place = now_utc(), name_database(db)
    with db.read() as conn:
        revisions = find_revisions(conn)
        if not revisions:
            raise CommandError(f"the database {place} has no tables: there is nothing to copy")
        head = audit_anchor.find_head(conn)
    if revisions == (find_head(),):  # an older one names no keys: they are tried below
        load_keys_of_data(db, settings.keys_folder)
    database = SQLITE_FILE if db.is_sqlite else DUMP_FILE
    file = folder / database
    for private_folder in (folder, file.parent):
        make_private_folder(private_folder)
    if db.is_sqlite:
        sqlite_copy.copy_database(db, file)
    else:
        server_copy.dump_database(db.url, file)
    key_files.copy_keys(settings.keys_folder, keys_folder)
    with _open_copy(db, file) as copy:
        require_fit(copy, vault.Keys.load(keys_folder), place, RESTORE)
        with copy.read() as conn:
            study_ids, summary = protocols.load_study_ids(conn), str(count_stored(conn))
    data_study = recall_study(settings)
    backup = Backup(
        made_at=made_at,
        aegis=find_installed_version(),
        study=sorted(study_ids),
        study_folder=data_study.folder if data_study else None,
        database=database,
        sha256=hash_file(file),
        keys=key_files.name_keys(keys_folder),
        head=str(head) if head else None,
    )
    write_description(folder, backup)
    return summary


@contextmanager
def _open_copy(db: Database, file: Path) -> Iterator[Database]:
    """Open the copy in *file*; *db* itself where that is a server's dump, which no query reads."""
    if not db.is_sqlite:
        yield db
        return
    copy = Database.open(f"sqlite:///{file.absolute()}")
    try:
        yield copy
    finally:
        copy.close()
    sqlite_copy.fold_log(file)
