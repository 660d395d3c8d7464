"""The last answers of commands that compute long, kept in the data folder until anything changes.

An answer is found again by all that it depends on: the study's files, this release, the data and
the question. What is missing or cannot be kept is computed. On a server nothing is kept.
"""

import hashlib
import json
from argparse import Namespace
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from services.cli.command import CommandError
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.installed import find_installed_version
from services.cli.shared.spared_modules import spare_modules
from services.cli.shared.stored_data import open_folder_data
from services.cli.shared.study_of_data import choose_study
from services.cli.shared.terminal_width import find_terminal_width, print_text
from services.safety_rules.edition import EDITION
from services.store import protocols
from services.store.data_revision import find_data_revision
from services.store.private_files import make_private_folder, replace_private_file

_FOLDER = "answers"
_STATISTICS = ("endpoints_report", "rules_sites", "rules_status")  # of scipy they load little
_PROTOCOL, *_OTHER_FILES = ("protocol.yaml", "signatures.yaml", "sites.yaml", "recipients.yaml")


@dataclass(frozen=True, slots=True)
class _Place:
    """The file of an answer, and the *key* of the question that is asked."""

    file: Path
    key: str

    def recall(self) -> str | None:
        """Return the answer that was kept; None: there is none to this question."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(self.file.read_text())
            return str(content["answer"]) if content["key"] == self.key else None
        return None

    def keep(self, answer: str) -> None:
        """Keep *answer* instead of an earlier one, if the folder can be written."""
        with suppress(OSError):
            make_private_folder(self.file.parent)
            replace_private_file(self.file, json.dumps({"key": self.key, "answer": answer}))


def print_answer(args: Namespace, word: str) -> None:
    """Print the answer to a command: the one that was kept, or else that of its module.

    Args:
        args: Of the command, with all its options.
        word: Of the command, as in the name of its module ``services.cli.commands.WORD``, which has
            a function ``compute_answer(args)``.

    Raises:
        CommandError: There are no data, or the module cannot answer.
        UntrustedFileError: A file of the study cannot be trusted.
    """
    place = _find_place(args, word)
    answer = None if place is None else place.recall()
    if answer is None:
        with spare_modules():
            if word in _STATISTICS:
                import_module("services.runtime.special_functions").load_functions_alone()
            module = import_module(f"services.cli.commands.{word}")
        answer = str(module.compute_answer(args))
        if place is not None:
            place.keep(answer)
    if not args.json:
        print_text(answer)
    elif answer:
        print(answer)


def _find_place(args: Namespace, word: str) -> _Place | None:
    """Return the place of the answer; None: the data have no folder, or another protocol runs."""
    try:
        settings = choose_study(read_chosen_settings(args))
    except CommandError:  # the study has moved: whoever computes says so, or does without
        return None
    data = open_folder_data(settings)
    if data is None:
        return None
    digests = {name: _digest_file(settings.study / name) for name in (_PROTOCOL, *_OTHER_FILES)}
    with data.db.read() as conn:
        if protocols.load_protocol(conn, digests[_PROTOCOL]) is None:
            return None
        revision = find_data_revision(conn, data.study_id)
    options = {name: str(value) for name, value in vars(args).items() if name != "data"}
    width = None if args.json else find_terminal_width()
    release = (EDITION, find_installed_version())
    parts = json.dumps([word, options, width, release, digests, revision], sort_keys=True)
    name = f"{word}-json" if args.json else word
    return _Place(
        settings.data / _FOLDER / f"{name}.json", hashlib.sha256(parts.encode()).hexdigest()
    )


def _digest_file(path: Path) -> str:
    """Return the sha256 of a file; empty when it cannot be read, which its reader will tell."""
    with suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return ""
