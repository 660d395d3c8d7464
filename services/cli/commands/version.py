"""``aegis version``: which Aegis this is, and by which rules it grades."""

import json
import platform
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import services
from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.installed import find_installed_version
from services.runtime.file_error import UntrustedFileError
from services.safety_rules.adapters.rules_version import study_rules_version
from services.safety_rules.edition import EDITION

_ROOT = Path(services.__file__).parent.parent
_GIT_TIMEOUT_S = 5


def perform(args: Namespace) -> int:
    """Print the version of the package and of the rules."""
    settings = read_chosen_settings(args)
    try:
        rules = study_rules_version(settings.study)
    except UntrustedFileError as error:
        if settings.is_study_chosen or settings.study.exists():
            raise
        print(f"rules_version: {error}: name a study with --study", file=sys.stderr)
        rules = None
    facts = {
        "version": find_installed_version(),
        "rules_version": rules,
        "rules_edition": EDITION,
        "python": platform.python_version(),
        "built": find_build_date(_ROOT),
    }
    if args.json:
        print(json.dumps(facts))
    else:
        print("\n".join(f"{name:14} {value or 'unknown'}" for name, value in facts.items()))
    return 0


def find_build_date(root: Path) -> str | None:
    """Return the date of the commit that *root* is at; None when that is not known.

    Changes that are not committed are not seen; a package without its repository has no date.
    """
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None
    command = [git, "-C", str(root), "log", "-1", "--format=%cI"]
    try:
        answer = subprocess.run(  # noqa: S603 - fixed words
            command, capture_output=True, text=True, check=False, timeout=_GIT_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None
