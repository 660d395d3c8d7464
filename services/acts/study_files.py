"""The files of a study: as they are in its folder, as they were activated, and the difference."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.runtime.canonical_json import digest_canonical
from services.store import study_files
from services.store.private_files import replace_private_file
from services.store.session import Connection
from services.store.study_files import StudyActivation

NAMES = ("protocol.yaml", "sites.yaml", "recipients.yaml")  # of the files by which a study runs
_NAME_LENGTH = 16  # of a folder: how the hash of its files begins
_FOLDER = "study"  # in the data folder: activated files that no folder of the study holds


@dataclass(frozen=True, slots=True)
class ActiveStudy:
    """The files by which a study runs, by name, and the activation that let them run."""

    activation: StudyActivation
    contents: Mapping[str, str]

    def find_folder(self, study_folder: Path, data_folder: Path) -> Path:
        """Return a folder that holds these files: the study's own, or one in the data folder."""
        if not self.list_differing_names(study_folder):
            return study_folder
        name = digest_canonical(self.activation.files)[:_NAME_LENGTH]
        folder = data_folder / _FOLDER / name
        if not folder.exists():
            self._write(folder)
        return folder

    def list_differing_names(self, folder: Path) -> list[str]:
        """Return the names of the files that are others in *folder*, or are there or here only."""
        contents = read_study_files(folder)
        return [name for name in NAMES if contents.get(name) != self.contents.get(name)]

    def _write(self, folder: Path) -> None:
        """Write the files to *folder*, which appears once all of them are complete."""
        draft = folder.with_name(f"{folder.name}.new")
        draft.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in self.contents.items():
            replace_private_file(draft / name, content)
        if not folder.exists():  # another process may have been faster
            draft.rename(folder)


def is_stored_copy(folder: Path, data_folder: Path) -> bool:
    """Return True if `ActiveStudy.find_folder` made *folder*: its name says what is in it."""
    return folder.parent == data_folder / _FOLDER


def load_active_study(conn: Connection, study: str) -> ActiveStudy | None:
    """Return the files by which *study* runs; None: none were activated."""
    activations = study_files.load_activations(conn, study)
    if not activations:
        return None
    return ActiveStudy(activations[-1], study_files.load_files(conn, activations[-1]))


def read_study_files(folder: Path) -> Mapping[str, str]:
    """Return the texts of the files of `NAMES` that are in *folder*, by name.

    One that cannot be read as text is left out: whoever loads the study says why.
    """
    contents = {}
    for name in NAMES:
        try:
            contents[name] = (folder / name).read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            continue
    return contents


def diff_files(active_files: Mapping[str, str], new_files: Mapping[str, str]) -> list[str]:
    r"""Return the lines that differ between two sets of files, as `diff -u` prints them.

    >>> diff_files({"a": "x: 1\n"}, {"a": "x: 2\n"})[-2:]
    ['-x: 1', '+x: 2']
    """
    lines: list[str] = []
    for name in sorted({*active_files, *new_files}):
        old_lines, new_lines = (
            contents.get(name, "").splitlines() for contents in (active_files, new_files)
        )
        lines += difflib.unified_diff(
            old_lines, new_lines, f"{name} (runs)", f"{name} (new)", n=1, lineterm=""
        )
    return lines
