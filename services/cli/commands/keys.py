"""``aegis keys``: the keys of the data, and a new encryption key in the place of an old one."""

from argparse import Namespace
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from services.acts.key_changes import retire_data_key, rotate_data_key
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.columns import KEYS
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.keys_of_data import load_keys_of_data
from services.cli.shared.open_database import describe_unreachable, open_database, require_data
from services.cli.shared.tables import make_explained_table
from services.runtime.clock import now_utc
from services.runtime.store_settings import StoreSettings
from services.store.installation_keys import InstallationKey, list_in_use, load_keys
from services.store.key_files import list_encryption_files, make_key_id, read_key
from services.store.key_rotation import KeyRotationError
from services.store.reencryption import count_messages_by_key
from services.store.revisions import NewerSchemaError, UnfitDatabaseError, require_newest
from services.store.session import Connection, Database, DatabaseError
from services.store.vault import Purpose, VaultError
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key as it stands, with what is wrong with its file; an empty *problem*: nothing."""

    key: str
    purpose: str
    file: str
    added_at: datetime | None
    retired_at: datetime | None
    state: str
    messages: int
    problem: str


@dataclass(frozen=True, slots=True)
class _OpenData:
    """The data whose keys are changed."""

    settings: StoreSettings
    db: Database


def perform(args: Namespace) -> int:
    """List the keys, or make or retire an encryption key."""
    settings = read_chosen_settings(args)
    db = open_database(settings)
    require_data(settings, db)
    try:
        require_newest(db)
        if args.word == "list":
            return _print_keys(args, settings, db)
        load_keys_of_data(db, settings.keys_folder)
        change_keys, kind = _CHANGES[args.word]
        change_keys(args, settings, db, find_actor(_OpenData(settings, db), kind))
    except (VaultError, KeyRotationError, NewerSchemaError, UnfitDatabaseError) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(describe_unreachable(settings, error)) from error
    finally:
        db.close()
    return 0


def _print_keys(args: Namespace, settings: StoreSettings, db: Database) -> int:
    with db.read() as conn:
        states = _list_states(conn, settings.keys_folder)
    if args.json:
        print_json_lines(asdict(state) for state in states)
    else:
        rows = [
            (
                one.key,
                one.purpose,
                one.file,
                f"{one.added_at:%Y-%m-%d %H:%M}" if one.added_at else "-",
                one.state,
                one.messages if one.purpose == Purpose.ENCRYPTION.value else "-",
                one.problem or "-",
            )
            for one in states
        ]
        print(make_explained_table(KEYS, rows))
    return int(any(one.problem for one in states))


def _list_states(conn: Connection, folder: Path) -> list[KeyState]:
    """Return the state of each key of the database, and of each file that is not in use."""
    keys, counts = load_keys(conn), count_messages_by_key(conn)
    in_use = list_in_use(keys, Purpose.ENCRYPTION)
    states = [
        KeyState(
            key.id,
            key.purpose.value,
            key.file,
            key.added_at,
            key.retired_at,
            _name_state(key, in_use, counts.get(key.id, 0)),
            counts.get(key.id, 0),
            _find_problem(key, folder / key.file),
        )
        for key in keys
    ]
    known_names = {key.file for key in keys}
    return states + [
        KeyState(
            "-",
            Purpose.ENCRYPTION.value,
            file.name,
            None,
            None,
            "not in use",
            0,
            _find_file_problem(file),
        )
        for file in list_encryption_files(folder)
        if file.name not in known_names
    ]


def _name_state(key: InstallationKey, in_use: list[InstallationKey], message_count: int) -> str:
    if key.retired_at is not None:
        return "retired"
    if key.purpose is not Purpose.ENCRYPTION:
        return "in use"
    if key == in_use[-1]:
        return "encrypts"
    return "being replaced" if message_count else "can be retired"


def _find_problem(key: InstallationKey, path: Path) -> str:
    """Return the problem of the file of *key*; a retired key may lack it, and no message does."""
    if key.retired_at is not None and not path.exists():
        return ""
    return _find_file_problem(path, key.id)


def _find_file_problem(path: Path, key_id: str = "") -> str:
    """Return the problem for which processes refuse the file *path*, of *key_id* if it is known."""
    try:
        actual_id = make_key_id(read_key(path))
    except VaultError as error:
        return str(error)
    return "" if actual_id == (key_id or actual_id) else f"{path} has the key {actual_id}"


def _rotate(args: Namespace, settings: StoreSettings, db: Database, actor: Actor) -> None:
    key = rotate_data_key(db, actor, settings.keys_folder, now_utc())
    if args.json:
        print_json_lines([asdict(key)])
        return
    print(
        f"{settings.keys_folder / key.file} ({key.id}) encrypts from now on. Copy it to your backup"
        " of the keys,\nand to AEGIS_KEYS of every other machine of ingest. `aegis run` encrypts"
        " all messages again with it;\n`aegis keys list` says how many are left."
    )


def _retire(args: Namespace, settings: StoreSettings, db: Database, actor: Actor) -> None:
    key = retire_data_key(db, actor, args.key, now_utc())
    if args.json:
        print_json_lines([asdict(key)])
        return
    print(
        f"{key.file} ({key.id}) is retired: no message needs it. Backups of before now do:"
        f" delete\n{settings.keys_folder / key.file} only where each of them has a copy of its own."
    )


_CHANGES = {
    "rotate": (_rotate, ActKind.ADD_KEY),
    "retire": (_retire, ActKind.REVOKE_KEY),
}
