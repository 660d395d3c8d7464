"""A copy of the repository in which code is mutated and tests run; the original stays as it is."""

import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

OPTIONS = ("-q", "-p", "no:cacheprovider", "--hypothesis-seed=0", "-m", "not slow")
_GIT_FILES = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
_LIBRARIES = """
    alembic.context cryptography.hazmat.primitives.ciphers.aead httpx hypothesis kafka
    matplotlib.figure numpy prometheus_client pydantic_settings pytest scipy.integrate
    scipy.optimize scipy.stats sqlalchemy starlette.applications structlog
    uvicorn yaml
"""
# What never changes is imported once: half the time of a trial, if it were done for each.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([*_LIBRARIES.split(), __name__])


def copy_tree(folder: Path) -> None:
    """Copy every file that is or may be committed from the working directory into *folder*."""
    names = subprocess.check_output(_GIT_FILES, text=True)
    for file in filter(Path.is_file, map(Path, names.splitlines())):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)


def do_tests_pass(folder: Path, tests: list[str], limit_s: int) -> bool:
    """True if all *tests* pass in the copy at *folder*, and within *limit_s* of the processor."""
    process = _FORKS.Process(target=_run_tests, args=(folder, tests, limit_s))
    process.start()
    process.join()
    return process.exitcode == 0


def _run_tests(folder: Path, tests: list[str], limit_s: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
    os.chdir(folder)
    os.environ["PYTHONPATH"] = sys.path[0] = str(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("services", "tests")]:
        del sys.modules[name]
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    import pytest  # noqa: PLC0415 (imported before the fork)

    early = "ignore::pytest.PytestAssertRewriteWarning"  # of plugins that are imported already
    os._exit(pytest.main([*OPTIONS, "-x", "-W", early, *tests]))
