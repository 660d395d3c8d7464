"""The lines of the domain that each test runs, and for how long: measured once, then kept.

Kept by file of tests. A file that changed is measured again; all are when the domain changed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from coverage import CoverageData

from tests.mutants.mutation import DOMAIN, Mutation
from tests.mutants.work_tree import OPTIONS

SUITES = ("unit", "truth", "property", "replay")  # these say what the domain does
READS_SOURCE = Path("tests/unit/test_names_and_sentences.py")  # notices words, not behaviour
FILE = Path("var/mutants/reach.json")
_WELL_ENDED = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)
LIMIT_S = 60  # of tests for one mutant
FIRST_S = 1  # of tests that are tried first: enough for most mutants

# By id of a test, all its rows together: {"duration_s": 0.1, "lines": {file of the domain: [7]}}.
Reach = dict[str, dict]


def choose_tests(reach: Reach, mutation: Mutation) -> list[list[str]]:
    """Return batches of tests to try in turn, the quickest first, `LIMIT_S` in all.

    Tests that run the line come before those that run another line of its file: what is run when a
    file is imported, or kept after a first call, belongs to whichever test was first.
    """
    file, statement = mutation.file.as_posix(), set(mutation.statement_lines)
    of_line, of_file = [], []
    for name in sorted(reach, key=lambda name: reach[name]["duration_s"]):
        if lines := reach[name]["lines"].get(file):
            (of_file if statement.isdisjoint(lines) else of_line).append(name)
    batches: dict[tuple[bool, bool], list[str]] = {}
    total_s = 0.0
    for name in of_line + of_file:
        total_s += reach[name]["duration_s"]
        if total_s <= LIMIT_S:
            batches.setdefault((name in of_file, total_s > FIRST_S), []).append(name)
    return [_group_by_file(batch) for batch in batches.values()]


def measure_reach(folders: list[Path]) -> Reach:
    """Return the reach of every test; measure in the copies at *folders* what is not kept."""
    domain = _digest(sorted(DOMAIN.rglob("*.py")))
    cache = json.loads(FILE.read_text()) if FILE.exists() else {}
    known_files = cache["files"] if cache.get("domain") == domain else {}
    digests = {file.as_posix(): _digest([file]) for file in list_test_files()}
    missing = [name for name in digests if known_files.get(name, {}).get("digest") != digests[name]]
    print(f"measuring the reach of {len(missing)} files of tests", flush=True)
    with ThreadPoolExecutor() as workers:
        shares = [missing[first :: len(folders)] for first in range(len(folders))]
        reaches = list(workers.map(_measure, folders, shares))
    for name in missing:
        tests = {k: v for reach in reaches for k, v in reach.items() if k.split("::")[0] == name}
        known_files[name] = {"digest": digests[name], "tests": tests}
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(json.dumps({"domain": domain, "files": known_files}))
    return {test: value for name in digests for test, value in known_files[name]["tests"].items()}


def list_test_files() -> list[Path]:
    """The files of tests of the domain, those of its modules with examples too."""
    suites = [file for suite in SUITES for file in Path("tests", suite).glob("test_*.py")]
    examples = [file for file in DOMAIN.rglob("*.py") if ">>> " in file.read_text()]
    return sorted({*suites, *examples} - {READS_SOURCE})


def _measure(folder: Path, files: list[str]) -> Reach:
    data, durations = folder / "reach.coverage", folder / "durations.json"
    coverage = ("coverage", "run", "--rcfile=", f"--source={DOMAIN}", f"--data-file={data}")
    plugin = ("-m", "pytest", *OPTIONS, "-p", "tests.mutants.reach_plugin", *files)
    if not files:
        return {}
    environment = {"PYTHONPATH": str(folder), "AEGIS_TEST_DURATIONS": str(durations)}
    result = subprocess.run(
        [sys.executable, "-m", *coverage, *plugin],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode not in _WELL_ENDED:
        raise SystemExit(f"mutants: the tests do not run\n{result.stdout[-2000:]}")
    return _read_reach(folder, data, json.loads(durations.read_text()))


def _read_reach(folder: Path, data: Path, durations: dict[str, float | None]) -> Reach:
    """Tests that passed, with what they reach; None is the duration of one that failed."""
    failures = {_drop_row(name) for name, duration_s in durations.items() if duration_s is None}
    reach: Reach = {}
    for name, duration_s in durations.items():
        for test in {_drop_row(name), name.split("::")[0]} - failures:
            entry = reach.setdefault(test, {"duration_s": 0.0, "lines": {}})
            entry["duration_s"] += duration_s or 0.0
    coverage = CoverageData(str(data))
    coverage.read()
    for path in coverage.measured_files():
        file = Path(path).relative_to(folder).as_posix()
        for line, contexts in coverage.contexts_by_lineno(path).items():
            for test in {_drop_row(context) for context in contexts} & reach.keys():
                reach[test]["lines"].setdefault(file, []).append(line)
    return reach


def _drop_row(test_id: str) -> str:
    return test_id.partition("[")[0]


def _group_by_file(tests: Iterable[str]) -> list[str]:
    """*tests* file by file, files in the order of their first test."""
    files: dict[str, list[str]] = {}
    for test in tests:
        files.setdefault(test.split("::")[0], []).append(test)
    return [test for tests_of_file in files.values() for test in tests_of_file]


def _digest(files: Iterable[Path]) -> str:
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
