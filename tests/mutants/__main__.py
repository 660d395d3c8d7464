"""`make mutants`: the share of small faults in the domain that the tests notice, and the others."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.judgement import Judgement, load_judgements
from tests.mutants.mutation import DOMAIN, Mutation, list_mutations, sample_by_room
from tests.mutants.reach import measure_reach
from tests.mutants.trial import try_mutations
from tests.mutants.work_tree import copy_tree

LEAST_SCORE = 95.0  # percent
WORKERS = 2


def main(count: int, seed: int, module: Path) -> int:
    """Try *count* mutants of *module* (0: all), print the survivors; 1 below the least score."""
    files = [module] if module.is_file() else sorted(module.rglob("*.py"))
    mutations = list_mutations(files)
    sample = sample_by_room(mutations, count or len(mutations), seed)
    print(f"{len(sample)} mutants of {len(mutations)}, seed {seed}", flush=True)
    judgements = load_judgements()
    verdicts = {mutation: _find_verdict(mutation, judgements) for mutation in sample}
    trials = [mutation for mutation in sample if verdicts[mutation] != "equivalent"]
    survivors = 0
    with TemporaryDirectory() as place:
        folders = [Path(place, str(number)) for number in range(WORKERS)]
        for folder in folders:
            copy_tree(folder)
        for mutation, is_killed in try_mutations(trials, measure_reach(folders), folders):
            if not is_killed:
                survivors += 1
                _print_survivor(mutation, verdicts[mutation])
    _print_stale_judgements(judgements)
    kills = len(trials) - survivors
    score = 100 * kills / max(len(trials), 1)
    equivalents = len(sample) - len(trials)
    print(f"killed {kills}, survived {survivors}, equivalent {equivalents}: {score:.1f} %")
    return int(score < LEAST_SCORE)


def _find_verdict(mutation: Mutation, judgements: Sequence[Judgement]) -> str:
    return next((j.verdict for j in judgements if j.covers(mutation)), "survived")


def _print_stale_judgements(judgements: Iterable[Judgement]) -> None:
    for judgement in judgements:
        file = DOMAIN / judgement.file
        if not any(map(judgement.covers, list_mutations([file] if file.exists() else []))):
            print(f"stale judgement: {judgement.file} {judgement.function}")
            print(f"  - {judgement.original_line}\n  + {judgement.mutated_line}")


def _print_survivor(mutation: Mutation, verdict: str) -> None:
    original_line, mutated_line = mutation.changed_lines
    print(f"{verdict} {mutation.file}:{mutation.line} {mutation.function}")
    print(f"  - {original_line}\n  + {mutated_line}", flush=True)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=120, help="mutants to try; 0 for all of them")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--module", type=Path, default=DOMAIN, help="file or folder of the domain")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = _parse_arguments()
    sys.exit(main(arguments.count, arguments.seed, arguments.module))
