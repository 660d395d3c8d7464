"""A copy of the repository in which code is mutated and tests run; the original stays as it is."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-m", "not slow")
_GIT_FILES = ("git", "ls-files", "--cached", "--others", "--exclude-standard")


def copy_tree(folder: Path) -> None:
    """Copy every file that is or may be committed from the working directory into *folder*."""
    names = subprocess.check_output(_GIT_FILES, text=True)
    for file in filter(Path.is_file, map(Path, names.splitlines())):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)


def run_python(
    folder: Path, *arguments: str, limit_s: float | None = None, **environment: str
) -> bool:
    """Run Python in the copy at *folder*; True if it ended well within *limit_s* seconds."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        return process.wait(limit_s) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
