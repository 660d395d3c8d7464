"""The study, the data and the keys of a command."""

import fcntl
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.acts.study_context import StudyContext
from services.cli.command import CommandError
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
    choose_study,
    recall_study,
    remember_study,
    require_same_study,
)
from services.runtime.clock import now_utc
from services.runtime.store_settings import StoreSettings
from services.safety_rules.adapters.study_rules import StudyRules, load_rules
from services.store import messages, participants, protocols
from services.store.file_faults import RESTORE
from services.store.participants import Participant
from services.store.protocols import ProtocolVersion
from services.store.revisions import (
    NewerSchemaError,
    UnfitDatabaseError,
    find_head,
    find_revisions,
    require_newest,
)
from services.store.session import Database, DatabaseError
from services.store.vault import Keys, VaultError


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

    A protocol that does not run in them is none the less the one that answers; a line says so. It
    runs from the first command on that writes.

    Raises:
        CommandError: There are no data, or an older version wrote them; a key is missing.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    settings = choose_study(settings)
    study = load_rules(settings.study)
    db = open_database(settings)
    if not db.is_sqlite:
        return StudyContext(settings, study, db, _load_server_keys(settings, study, db))
    require_data(settings, db)
    data_study, study_id = recall_study(settings), study.rules.protocol.study
    if data_study is not None:
        require_same_study(settings, {data_study.study_id}, study_id)
    with _refuse_unfit(db):
        require_newest(db)
        with db.read() as conn:
            require_same_study(settings, protocols.load_study_ids(conn), study_id)
            is_active = protocols.load_protocol(conn, study.rules.protocol.sha256) is not None
        keys = load_keys_of_data(db, settings.keys_folder)
    if data_study is None or not data_study.is_in_place:
        remember_study(settings, study_id)
    if not is_active:
        print(
            f"{settings.study}: its protocol, {study.rules.protocol.label}, has not run with these"
            " data; this answer is by it",
            file=sys.stderr,
        )
    return StudyContext(settings, study, db, keys)


def open_in(settings: StoreSettings, *, create: bool = True, service: str = "") -> StudyContext:
    """Return the study and the data that *settings* name; see `open_data`."""
    settings = choose_study(settings)
    study = load_rules(settings.study)
    db = open_database(settings, service)
    if not db.is_sqlite:
        return StudyContext(settings, study, db, _load_server_keys(settings, study, db, service))
    if create:
        require_filled_file(db)
    else:
        require_data(settings, db)
    with _lock_folder(settings.data):
        data_study = recall_study(settings)
        if data_study is not None and not db.exists():
            raise CommandError(
                f"{settings.data} has data of {data_study.study_id}, and its database {db.file} is"
                f" gone: {RESTORE}, or remove {settings.data / FILE} to begin anew"
            )
        context = _open_folder(settings, study, db, data_study)
        if create or data_study is None or not data_study.is_in_place:
            remember_study(settings, context.study_id)
    return context


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
    context = StudyContext(settings, study, db, keys)
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
    """Bring the database that *settings* name to the newest schema, and let its protocol run.

    Raises:
        CommandError: It cannot be reached or is not fit; says what to do.
    """
    if open_database(settings).is_sqlite:
        require_sound_pages(settings)
        return open_in(settings)
    from services.store import schema  # noqa: PLC0415 (Alembic takes a fifth of a second)

    settings = choose_study(settings)
    study, db = load_rules(settings.study), open_database(settings)
    try:
        with _refuse_unfit(db):
            schema.upgrade(db, load_keys_before_upgrade(db, settings.keys_folder))
            keys = bind_keys(db, settings.keys_folder)
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


def _load_server_keys(
    settings: StoreSettings, study: StudyRules, db: Database, service: str = ""
) -> Keys:
    """Return the keys of *service*, once the database is fit and governed by this protocol."""
    protocol = study.rules.protocol
    by_user = open_database(settings)  # a service's role may read nothing of an older database
    try:
        with _refuse_unfit(by_user):
            require_newest(by_user)
            with db.read() as conn:  # as whom the service will act
                is_active = protocols.load_protocol(conn, protocol.sha256) is not None
            keys = load_keys_of_data(by_user, settings.keys_folder, service)
    except DatabaseError as error:
        raise CommandError(describe_unreachable(settings, error)) from error
    finally:
        by_user.close()
    if not is_active:
        raise CommandError(
            f"the protocol of {protocol.study} ({protocol.version}) was never activated in this"
            " database: run `aegis migrate`"
        )
    return keys


def _activate(context: StudyContext) -> None:
    """Keep the protocol that runs from now on; the study itself has a journal of its own."""
    protocol, content = context.study.rules.protocol, context.study.study.content
    version = ProtocolVersion(
        protocol.sha256, protocol.study, protocol.version, now_utc(), content.decode()
    )
    with context.db.read() as conn:
        has_journal = participants.load_participant(conn, protocol.study) is not None
        is_stored = protocols.load_protocol(conn, protocol.sha256) is not None
    if has_journal and is_stored:
        return
    with context.db.write() as conn:
        participants.add_participants(
            conn, [Participant(protocol.study, protocol.study, "")], now_utc()
        )
        protocols.keep_protocol(conn, version)
