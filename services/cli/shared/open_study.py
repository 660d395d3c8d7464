"""The study, the data and the keys of a command."""

import fcntl
import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.acts.protocol_signature import sign_rules
from services.acts.study_activation import activate_initially
from services.acts.study_context import StudyContext
from services.acts.study_files import load_active_study, read_study_files
from services.cli.command import CommandError
from services.cli.shared.active_folder import choose_active_files
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.keys_of_data import (
    bind_keys,
    load_keys_before_upgrade,
    load_keys_of_data,
)
from services.cli.shared.open_database import (
    describe_unreachable,
    open_database,
    require_data,
    require_filled_file,
    require_sound_pages,
)
from services.cli.shared.study_of_data import (
    FILE,
    StudyOfData,
    recall_study,
    remember_study,
    require_same_study,
)
from services.runtime.store_settings import StoreSettings
from services.safety_rules.adapters.study_rules import StudyRules, load_rules
from services.store import messages, protocols
from services.store.file_faults import RESTORE
from services.store.revisions import (
    NewerSchemaError,
    UnfitDatabaseError,
    find_head,
    find_revisions,
    require_newest,
)
from services.store.session import Database, DatabaseError
from services.store.vault import VaultError

_SIGN_NOTHING = ("ingest", "relay")  # they may not read who signed, and tell nobody


def open_data(args: Namespace, *, create: bool = True, service: str = "") -> StudyContext:
    """Return the chosen study with its data.

    Args:
        args: Of a command with `services.cli.arguments.common.data_arguments`.
        create: False when there must be data already.
        service: Of `services.store.roles`, whose rights suffice; empty: those of the user.

    Raises:
        CommandError: A key is missing, or there are no data.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    return open_in(read_chosen_settings(args), create=create, service=service)


def open_to_read(args: Namespace) -> StudyContext:
    """Return the chosen study with its data, for a command that only looks; see `read_in`."""
    return read_in(read_chosen_settings(args))


def read_in(settings: StoreSettings) -> StudyContext:
    """Return the study and the data that *settings* name, and change neither.

    The files that were activated answer; a line says so when those in the folder are others.

    Raises:
        CommandError: There are no data, or an older version wrote them; a key is missing.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    own_settings, db = settings, open_database(settings)
    if not db.is_sqlite:
        return _open_server(settings, db)
    require_data(settings, db)
    with _refuse_unfit(db):
        require_newest(db)
    settings = choose_active_files(settings, db)
    study = load_study_rules(settings, db)
    data_study, study_id = recall_study(settings), study.rules.protocol.study
    if data_study is not None:
        require_same_study(settings, {data_study.study_id}, study_id)
    with _refuse_unfit(db):
        with db.read() as conn:
            require_same_study(settings, protocols.load_study_ids(conn), study_id)
        keys = load_keys_of_data(db, settings.keys_folder)
    if data_study is None or not data_study.is_in_place:
        remember_study(own_settings, study_id)
    return StudyContext(settings, study, db, keys)


def open_in(settings: StoreSettings, *, create: bool = True, service: str = "") -> StudyContext:
    """Return the study and the data that *settings* name; see `open_data`."""
    own_settings, db = settings, open_database(settings, service)
    if not db.is_sqlite:
        return _open_server(settings, db, service)
    if create:
        require_filled_file(db)
    else:
        require_data(settings, db)
    settings = choose_active_files(settings, db)
    study = load_rules(settings.study)
    with _lock_folder(settings.data):
        data_study = recall_study(settings)
        if data_study is not None and not db.exists():
            raise CommandError(
                f"{settings.data} has data of {data_study.study_id}, and its database {db.file} is"
                f" gone: {RESTORE}, or remove {settings.data / FILE} to begin anew"
            )
        context = _open_folder(settings, study, db, data_study)
        if create or data_study is None or not data_study.is_in_place:
            remember_study(own_settings, context.study_id)
    return context


def _open_server(settings: StoreSettings, db: Database, service: str = "") -> StudyContext:
    by_user = open_database(settings)  # a service's role may read nothing of an older database
    try:
        with _refuse_unfit(by_user):
            require_newest(by_user)
            settings = choose_active_files(settings, by_user)
            study = load_rules(settings.study)
            with db.read() as conn:  # as whom the service will act
                is_active = load_active_study(conn, study.rules.protocol.study) is not None
            if service not in _SIGN_NOTHING:
                study = sign_rules(study, db)
            keys = load_keys_of_data(by_user, settings.keys_folder, service)
    except DatabaseError as error:
        raise CommandError(describe_unreachable(settings, error)) from error
    finally:
        by_user.close()
    if not is_active:
        protocol = study.rules.protocol
        raise CommandError(
            f"the protocol of {protocol.study} ({protocol.version}) was never activated in this"
            " database: run `aegis migrate`"
        )
    return StudyContext(settings, study, db, keys)


def load_study_rules(settings: StoreSettings, db: Database) -> StudyRules:
    """Return the rules of the files that *settings* name, with the signatures given in *db*.

    Raises:
        UntrustedFileError: A file of the study cannot be trusted.
    """
    return sign_rules(load_rules(settings.study), db)


def _open_folder(
    settings: StoreSettings, study: StudyRules, db: Database, data_study: StudyOfData | None
) -> StudyContext:
    study_id = study.rules.protocol.study
    if data_study is not None:
        require_same_study(settings, {data_study.study_id}, study_id)
    with _refuse_unfit(db):
        _upgrade(db, settings.keys_folder)
        keys = bind_keys(db, settings.keys_folder)
        with db.read() as conn:  # of a folder that remembers nothing
            require_same_study(settings, protocols.load_study_ids(conn), study_id)
    context = StudyContext(settings, sign_rules(study, db), db, keys)
    _activate(context)
    db.restrict_files()  # which an earlier version may have left open
    return context


@contextmanager
def _refuse_unfit(db: Database) -> Iterator[None]:
    """Let a command end with a sentence, and *db* be closed, if it or a key is unfit."""
    try:
        yield
    except (VaultError, NewerSchemaError, UnfitDatabaseError) as error:
        db.close()
        raise CommandError(str(error)) from error


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Let one process at a time make or renew the keys and the tables of a data folder."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _upgrade(db: Database, keys_folder: Path) -> None:
    """Let a database in a file have the newest tables; most have them."""
    if db.exists():
        with db.read() as conn:
            if find_revisions(conn) == (find_head(),):
                return
    from services.store import schema  # noqa: PLC0415 (Alembic takes a fifth of a second)

    schema.upgrade(db, load_keys_before_upgrade(db, keys_folder))


def migrate(settings: StoreSettings) -> StudyContext:
    """Bring the database that *settings* name to the newest schema.

    Where no files were activated yet, those of the study are.

    Raises:
        CommandError: It cannot be reached or is not fit; says what to do.
    """
    if open_database(settings).is_sqlite:
        require_sound_pages(settings)
        return open_in(settings)
    from services.store import schema  # noqa: PLC0415 (Alembic takes a fifth of a second)

    db = open_database(settings)
    try:
        with _refuse_unfit(db):
            schema.upgrade(db, load_keys_before_upgrade(db, settings.keys_folder))
            keys = bind_keys(db, settings.keys_folder)
        settings = choose_active_files(settings, db)
        study = load_study_rules(settings, db)
    except DatabaseError as error:
        db.close()
        raise CommandError(describe_unreachable(settings, error)) from error
    context = StudyContext(settings, study, db, keys)
    _activate(context)
    return context


def count_stored_messages(settings: StoreSettings) -> int:
    """Return the number of messages in the database of *settings*; 0 without tables.

    Raises:
        CommandError: It cannot be reached.
    """
    db = open_database(settings)
    try:
        with db.read() as conn:
            return messages.count_messages(conn) if find_revisions(conn) else 0
    except DatabaseError as error:
        raise CommandError(describe_unreachable(settings, error)) from error
    finally:
        db.close()


def _activate(context: StudyContext) -> None:
    """Let the study run by its files, if none were activated yet: as the machine, marked so."""
    with context.db.read() as conn:
        if load_active_study(conn, context.study_id) is not None:
            return
    with context.db.write() as conn:
        activate_initially(conn, context.study, read_study_files(context.settings.study))
