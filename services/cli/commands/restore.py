"""``aegis restore``: a data folder as a backup has it."""

import shutil
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from services.cli.command import CommandError
from services.cli.shared.backup_folder import (
    KEYS,
    SQLITE_FILE,
    Backup,
    read_description,
    require_fit,
    require_no_files,
)
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.open_database import describe_unreachable, name_database, open_database
from services.cli.shared.study_of_data import remember_study
from services.cli.shared.verification import count_stored
from services.runtime.store_settings import StoreSettings
from services.store import key_files, server_copy, sqlite_copy, vault
from services.store.session import Database, DatabaseError

_REMEDY = "restore into a new folder, and name it with --data or AEGIS_DATA"
_OTHER_KIND = {  # by what the settings name
    True: "this backup is of PostgreSQL: name an empty database in AEGIS_DATABASE_URL",
    False: "this backup is of SQLite: leave AEGIS_DATABASE_URL out, and name a folder with --data",
}
_OLD_API_KEYS = (
    "API keys of sites are valid as they were then: `aegis sites keys` lists them; revoke again"
    " those that were revoked since (`aegis sites revoke`)"
)
_UNPROVEN = ".unproven"  # a copy that may turn out to be damaged


def perform(args: Namespace) -> int:
    """Restore database and keys, once both are proven to be whole and to belong together."""
    settings = read_chosen_settings(args)
    backup = read_description(args.folder)
    db = open_database(settings)
    if db.is_sqlite != (backup.database == SQLITE_FILE):
        raise CommandError(_OTHER_KIND[db.is_sqlite])
    if db.is_sqlite:
        _require_no_data(settings, db)
    has_keys = any(settings.keys_folder.glob("*.key"))  # in AEGIS_KEYS: they outlived the database
    keys_folder = settings.keys_folder if has_keys else args.keys_from or args.folder / KEYS
    _require_keys(backup, keys_folder)
    try:
        restore = _restore_file if db.is_sqlite else _restore_dump
        summary = restore(args.folder / backup.database, keys_folder, db)
        if not has_keys:
            key_files.copy_keys(keys_folder, settings.keys_folder)
    except (vault.VaultError, server_copy.ServerCopyError) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(describe_unreachable(settings, error)) from error
    finally:
        db.close()
    if db.is_sqlite:
        _remember(settings, backup)
    made_at = backup.made_at.isoformat(timespec="seconds")
    steps = "" if db.is_sqlite else "`aegis migrate`, then "
    print(f"restored as it was at {made_at}: {summary}.\nNow run {steps}`aegis verify`")
    print(_OLD_API_KEYS)
    return 0


def _require_no_data(settings: StoreSettings, db: Database) -> None:
    """Require an empty data folder, and no database where the settings name one elsewhere."""
    require_no_files(settings.data, _REMEDY)
    if next(db.file.parent.glob(f"{db.file.name}*"), None):  # its log would be applied to another
        raise CommandError(f"there is a database in {db.file}: name another in AEGIS_DATABASE_URL")


def _require_keys(backup: Backup, folder: Path) -> None:
    try:
        keys = key_files.name_keys(folder)
    except vault.VaultError as error:
        raise CommandError(str(error)) from error
    for name, key_id in backup.keys.items():
        if keys.get(name) != key_id:
            problem = "is another key" if name in keys else "is missing"
            raise CommandError(
                f"{folder / name} {problem}: name the folder with the keys of this backup"
                " in --keys-from (AEGIS_KEYS, where that has keys already)"
            )


def _restore_file(source: Path, keys_folder: Path, db: Database) -> str:
    """Copy *source* to the file of *db*; return what is in it."""
    db.make_folder()
    unproven_file = db.file.with_name(db.file.name + _UNPROVEN)
    unproven_file.touch(mode=0o600)
    copy = Database.open(f"sqlite:///{unproven_file.absolute()}")
    try:
        shutil.copyfile(source, unproven_file)
        require_fit(copy, vault.Keys.load(keys_folder), source, "restore another backup")
        with copy.read() as conn:
            summary = str(count_stored(conn))
        copy.close()
        sqlite_copy.fold_log(unproven_file)
        unproven_file.rename(db.file)
    finally:
        copy.close()
        unproven_file.unlink(missing_ok=True)
    return summary


def _restore_dump(source: Path, keys_folder: Path, db: Database) -> str:
    """Fill the empty database *db* from *source*; return what is in it."""
    place = name_database(db)
    if server_copy.has_tables(db):
        raise CommandError(
            f"the database {place} is not empty: make another with createdb (docs/running.md), and"
            " name it in AEGIS_DATABASE_URL"
        )
    keys = vault.Keys.load(keys_folder)
    server_copy.restore_dump(db.url, source)
    require_fit(db, keys, place, "restore another backup")
    with db.read() as conn:
        return str(count_stored(conn))


def _remember(settings: StoreSettings, backup: Backup) -> None:
    """Let the folder remember the study that it belonged to, or one that is named now."""
    if not settings.is_study_chosen and backup.study_folder is not None:
        settings = replace(settings, study=backup.study_folder, is_study_chosen=True)
    if len(backup.study) == 1:
        remember_study(settings, backup.study[0])
