"""The study of a path that a person names, with everything checked."""

from pathlib import Path

from services.safety_rules.adapters.protocol_files import PROTOCOL, Study
from services.safety_rules.adapters.study_rules import load_rules


def read_study(path: Path) -> Study:
    """Return the study of a folder, or of a protocol file with the other files beside it.

    Raises:
        UntrustedFileError: It cannot be trusted.
    """
    folder, name = (path, PROTOCOL) if path.is_dir() else (path.parent, path.name)
    return load_rules(folder, name).study
