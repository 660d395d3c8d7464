"""The last answers of commands that compute long, kept in the data folder until anything changes.

An answer is found again by all that it depends on: the data, with the files that were activated,
this release and the question. What is missing or cannot be kept is computed. On a server nothing
is kept.
"""

import hashlib
import json
from argparse import Namespace
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from services.acts.study_files import load_active_study
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.installed import find_installed_version
from services.cli.shared.spared_modules import spare_modules
from services.cli.shared.stored_data import open_folder_data
from services.cli.shared.study_of_data import find_own_folder
from services.cli.shared.terminal_width import find_terminal_width, print_text
from services.safety_rules.edition import EDITION
from services.store.data_revision import find_data_revision
from services.store.private_files import make_private_folder, replace_private_file

_FOLDER = "answers"
_STATISTICS = ("endpoints_report", "rules_sites", "rules_status")  # of scipy they load little


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
    """Return the place of the answer; None: the data have no folder, or other files run."""
    settings = read_chosen_settings(args)
    data = open_folder_data(settings)
    if data is None:
        return None
    with data.db.read() as conn:
        active_study = load_active_study(conn, data.study_id)
        if active_study is None or active_study.list_differing_names(find_own_folder(settings)):
            return None  # whoever computes says that the study's own folder has others
        revision = find_data_revision(conn, data.study_id)
    options = {name: str(value) for name, value in vars(args).items() if name != "data"}
    width = None if args.json else find_terminal_width()
    release = (EDITION, find_installed_version())
    parts = json.dumps([word, options, width, release, revision], sort_keys=True)
    name = f"{word}-json" if args.json else word
    return _Place(
        settings.data / _FOLDER / f"{name}.json", hashlib.sha256(parts.encode()).hexdigest()
    )
