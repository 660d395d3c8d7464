"""A backup: a folder with the database, its keys apart, and a description that is written last."""

import hashlib
import os
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from services.cli.command import CommandError
from services.store import key_fit, sqlite_copy
from services.store.revisions import NewerSchemaError, find_revisions, require_known
from services.store.session import Database
from services.store.vault import Keys

DESCRIPTION = "backup.json"
KEYS = "keys"
SQLITE_FILE = Path("db") / "aegis.db"
DUMP_FILE = Path("db") / "aegis.dump"  # of PostgreSQL


class Backup(BaseModel):
    """The description of a backup.

    Args:
        made_at: When it was begun.
        aegis: The version that made it; None: not installed.
        study: Ids of the studies whose data it holds.
        study_folder: Where the study was; None: the data folder did not remember it.
        database: Path of the database in the folder.
        sha256: Of that file.
        keys: Id of each key, by the name of its file.
        head: Of the audit trail, for `aegis verify --anchor`; None: nothing was sealed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_at: AwareDatetime
    aegis: str | None
    study: list[str]
    study_folder: Path | None
    database: Path
    sha256: str
    keys: dict[str, str]
    head: str | None = None


def write_description(folder: Path, backup: Backup) -> None:
    """Write the description of *backup* into *folder*: from now on it is complete."""
    handle = os.open(folder / DESCRIPTION, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(backup.model_dump_json(indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_description(folder: Path) -> Backup:
    """Return the description of the backup in *folder*.

    Raises:
        CommandError: There is none, it cannot be read, or the database is not the one it describes.
    """
    try:
        backup = Backup.model_validate_json((folder / DESCRIPTION).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise CommandError(
            f"{folder} is no complete backup: it has no {DESCRIPTION}, which `aegis backup` writes"
            " last"
        ) from None
    except ValidationError as error:
        raise CommandError(f"{folder / DESCRIPTION} is damaged: take another backup") from error
    file = folder / backup.database
    if not file.is_file() or hash_file(file) != backup.sha256:
        raise CommandError(f"{file} is not as it was written: take another backup")
    return backup


def hash_file(file: Path) -> str:
    """Return the SHA-256 of the content of *file*."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def require_no_files(folder: Path, remedy: str) -> None:
    """Require that *folder* is not there, or has no file at any depth.

    Raises:
        CommandError: It has; ends with *remedy*.
    """
    if folder.exists() and not folder.is_dir():
        raise CommandError(f"{folder} is no folder: {remedy}")
    first_file = next((path for path in sorted(folder.rglob("*")) if not path.is_dir()), None)
    if first_file is not None:
        raise CommandError(f"{folder} is not empty ({first_file.name}): {remedy}")


def require_fit(db: Database, keys: Keys, place: Path | str, remedy: str) -> None:
    """Require that the database *db* is sound, known to this version, and written with *keys*.

    Raises:
        CommandError: It is not; names it as *place*, and what to do if it is damaged.
    """
    if faults := sqlite_copy.find_page_faults(db):
        raise CommandError(f"{place} is damaged ({faults[0]}): {remedy}")
    with db.read() as conn:
        try:
            require_known(set(find_revisions(conn)))
        except NewerSchemaError as error:
            raise CommandError(str(error)) from error
        key_fault = next(key_fit.find_key_faults(conn, keys), None)
    if key_fault is not None:
        raise CommandError(f"these keys are not those of {place}: {key_fault}")
