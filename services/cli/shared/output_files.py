"""Files that a command was told to write: all of them, or none."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.cli.command import CommandError


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file to write: the *flag* that named it, where it is, and what it holds."""

    flag: str
    path: Path
    content: bytes


def write_files(files: Sequence[OutputFile]) -> None:
    """Write *files*; earlier ones of their names are replaced once all are written beside them.

    Raises:
        CommandError: One cannot be written, or two have one name; none is changed.
    """
    paths = [file.path.resolve() for file in files]
    drafts: list[Path] = []
    try:
        for file, path in zip(files, paths, strict=True):
            if paths.count(path) > 1:
                raise CommandError(
                    f"{file.flag} {file.path}: another file of this command has that name"
                )
            drafts.append(path.with_name(f".{path.name}.{os.getpid()}"))
            _write_draft(file, path, drafts[-1])
        for draft, path in zip(drafts, paths, strict=True):
            draft.replace(path)
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _write_draft(file: OutputFile, path: Path, draft: Path) -> None:
    """Write the content of *file* to *draft*, beside *path*, which has to allow it."""
    try:
        if path.exists():
            with path.open("ab"):  # a folder, or a file that may not be changed
                pass
        draft.write_bytes(file.content)
    except OSError as error:
        message = f"{file.flag} {file.path} cannot be written: {error.strerror}"
        raise CommandError(message) from error
