"""Trials of mutants: the tests that reach a mutated line are run on it, and one should fail."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.mutation import Mutation
from tests.mutants.reach import LIMIT_S, Reach, choose_tests
from tests.mutants.work_tree import do_tests_pass

HANGS_S = 5 * LIMIT_S  # tests that compute so much longer than measured never end


def try_mutations(
    mutations: Iterable[Mutation], reach: Reach, folders: list[Path]
) -> Iterator[tuple[Mutation, bool]]:
    """Yield each of *mutations*, in order, and True if tests in a copy at *folders* killed it."""
    free: SimpleQueue[Path] = SimpleQueue()
    for folder in folders:
        free.put(folder)

    def is_killed(mutation: Mutation) -> bool:
        folder = free.get()
        try:
            return _is_killed(mutation, choose_tests(reach, mutation), folder)
        finally:
            free.put(folder)

    mutations = list(mutations)
    _check_health(mutations, reach, folders[0])
    with ThreadPoolExecutor(len(folders)) as workers:
        yield from zip(mutations, workers.map(is_killed, mutations), strict=True)


def _check_health(mutations: Iterable[Mutation], reach: Reach, folder: Path) -> None:
    """Stop unless tests pass without a fault: if they failed for another reason, all would."""
    batches = (tests for mutation in mutations for tests in choose_tests(reach, mutation))
    quickest = next(batches, None)
    if quickest and not do_tests_pass(folder, quickest, HANGS_S):
        raise SystemExit("mutants: tests fail without a fault in the code; `make test` says which")


def _is_killed(mutation: Mutation, batches: Iterable[list[str]], folder: Path) -> bool:
    copy = folder / mutation.file
    copy.write_text(mutation.mutated_text)
    try:
        return not all(do_tests_pass(folder, tests, HANGS_S) for tests in batches)
    finally:
        copy.write_text(mutation.text)
        Path(cache_from_source(str(copy))).unlink(missing_ok=True)  # compiled in the same second?
