"""The folder with the files by which the data run, whatever the study's own folder holds now."""

import sys
from dataclasses import replace
from pathlib import Path

from services.acts.study_files import ActiveStudy, load_active_study
from services.cli.command import CommandError
from services.cli.shared.open_database import open_database
from services.cli.shared.study_of_data import (
    StudyOfData,
    choose_study,
    find_own_folder,
    read_study_id,
    recall_study,
    require_same_study,
)
from services.runtime.store_settings import StoreSettings
from services.store import protocols
from services.store.revisions import find_head, find_revisions
from services.store.session import Database, DatabaseError


def choose_active_files(settings: StoreSettings, db: Database) -> StoreSettings:
    """Return *settings* with the folder of the files that run in *db*.

    Where none run yet it is that of `choose_study`. A line says so when the study's own folder
    holds others: nothing runs by them.

    Raises:
        CommandError: The data are of another study; or none run yet, and there is no folder.
    """
    active_study = find_active_study(settings, db)
    if active_study is None:
        return choose_study(settings)
    return replace(settings, study=_find_folder(active_study, settings))


def find_active_folder(settings: StoreSettings) -> Path:
    """Return the folder of the files that run; the study's own, where there are no data.

    Raises:
        CommandError: See `choose_active_files`.
    """
    db = open_database(settings)
    try:
        active_study = find_active_study(settings, db)
    except DatabaseError:  # the files are needed even without it
        active_study = None
    finally:
        db.close()
    if active_study is None:
        return choose_study(settings).study
    return _find_folder(active_study, settings)


def _find_folder(active_study: ActiveStudy, settings: StoreSettings) -> Path:
    """Return a folder with the files of *active_study*; say so when the study's own has others."""
    folder = find_own_folder(settings)
    if names := active_study.list_differing_names(folder) if folder.exists() else []:
        print(
            f"{folder}: {', '.join(names)} there and what runs are not the same; to let it run:"
            f" aegis study activate {folder} --reason ...",
            file=sys.stderr,
        )
    return active_study.find_folder(folder, settings.data)


def _require_remembered(settings: StoreSettings, data_study: StudyOfData) -> None:
    """Require that a folder without a study is that of the data, which may be gone.

    Raises:
        CommandError: It is another, named by mistake.
    """
    if settings.study.absolute() != data_study.folder:
        raise CommandError(f"{settings.study}: there is no study: it has no protocol.yaml")


def find_active_study(settings: StoreSettings, db: Database) -> ActiveStudy | None:
    """Return the files that run in *db*; None: none yet, or an older version wrote it.

    Raises:
        CommandError: The folder that was named is of a study whose data these are not.
    """
    if db.is_sqlite and not (db.exists() and db.file.stat().st_size):
        return None
    with db.read() as conn:
        if find_revisions(conn) != (find_head(),):
            return None
        study_ids = protocols.load_study_ids(conn)
        data_study = recall_study(settings)
        if data_study is not None:
            study_ids &= {data_study.study_id}
        is_asked = settings.is_study_chosen or len(study_ids) != 1
        study_id = read_study_id(find_own_folder(settings)) if is_asked else ""
        if is_asked and not study_id and data_study is not None:
            _require_remembered(settings, data_study)
        if study_id:
            require_same_study(settings, study_ids, study_id)
            study_ids &= {study_id}
        return load_active_study(conn, study_ids.pop()) if len(study_ids) == 1 else None
