"""The study that a data folder belongs to, as a small file in it remembers.

Only of data in a SQLite file of the folder: a server's database has its protocol in it.
"""

import json
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from services.cli.command import CommandError
from services.runtime.store_settings import StoreSettings
from services.store.private_files import is_open_to_others, replace_private_file

FILE = "study.json"
_PROTOCOL = "protocol.yaml"
_STUDY_ID = re.compile(r"^study: *[\"']?([^\s\"'#]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class StudyOfData:
    """The id of a study, and the absolute path of its folder when its data were last opened."""

    study_id: str
    folder: Path

    @property
    def is_in_place(self) -> bool:
        """True when the folder still has a protocol."""
        return (self.folder / _PROTOCOL).exists()


def recall_study(settings: StoreSettings) -> StudyOfData | None:
    """Return the study of the data folder; None when nothing remembers it.

    Raises:
        CommandError: The file is damaged.
    """
    if settings.database_url:
        return None
    file = settings.data / FILE
    try:
        content = json.loads(file.read_text())
        return StudyOfData(str(content["study"]), Path(content["folder"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{file} cannot be read: remove it, and name the study once with --study"
        ) from error


def remember_study(settings: StoreSettings, study_id: str) -> None:
    """Let the data folder remember that it belongs to the study of *settings*."""
    if settings.database_url:
        return
    folder = settings.study.absolute()
    file, content = settings.data / FILE, json.dumps({"study": study_id, "folder": str(folder)})
    is_known = recall_study(settings) == StudyOfData(study_id, folder)
    with suppress(PermissionError):  # a folder that cannot be written can still be read
        if not is_known or is_open_to_others(file):
            replace_private_file(file, f"{content}\n")


def choose_study(settings: StoreSettings) -> StoreSettings:
    """Return *settings* with the folder of the study that the data folder remembers.

    A folder that was named by ``--study`` or ``AEGIS_STUDY`` stays; see `require_same_study`.

    Raises:
        CommandError: The study is not in its folder any more.
    """
    data_study = recall_study(settings)
    if data_study is None or settings.is_study_chosen:
        return settings
    if settings.study.absolute() == data_study.folder:
        return settings
    if not data_study.is_in_place:
        raise CommandError(
            f"the study of {settings.data}, {data_study.study_id}, is no longer in"
            f" {data_study.folder}: name its folder with --study or AEGIS_STUDY, once is enough"
        )
    return replace(settings, study=data_study.folder, is_study_chosen=True)


def find_own_folder(settings: StoreSettings) -> Path:
    """Return the study's own folder, named or remembered; it may be gone."""
    data_study = recall_study(settings)
    return settings.study if data_study is None or settings.is_study_chosen else data_study.folder


def read_study_id(folder: Path) -> str:
    """Return the id that the protocol in *folder* begins with; empty: there is none.

    It is not checked: the folder may hold anything, and nothing runs by it yet.
    """
    try:
        match = _STUDY_ID.search((folder / _PROTOCOL).read_text())
    except (OSError, UnicodeDecodeError):
        return ""
    return match[1] if match else ""


def require_same_study(settings: StoreSettings, stored_ids: Collection[str], study_id: str) -> None:
    """Check that the study *study_id* is one of those whose data are stored, or that none are.

    Raises:
        CommandError: The data are of another study.
    """
    if stored_ids and study_id not in stored_ids:
        raise CommandError(
            f"the data in {settings.data} are of {', '.join(sorted(stored_ids))}, and"
            f" {settings.study} is the study"
            f" {study_id}: name other data with --data, or leave --study (AEGIS_STUDY) out"
        )
