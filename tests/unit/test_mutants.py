"""`make mutants`: the faults it puts into the code, and the tests it runs on each."""

from pathlib import Path

import pytest

from tests.mutants.judgement import Judgement
from tests.mutants.mutation import DOMAIN, Mutation, list_mutations, sample_by_room
from tests.mutants.reach import choose_tests
from tests.mutants.trial import try_mutations

SOURCE = """\
@dataclass(frozen=True)
class Dose:
    def add(self, size: int | None = 1) -> int | None:
        if size and self.given:
            return size + self.given
        return False

    def join(self, *, rates):
        self.rates = zip(rates, rates, strict=True)
"""
MUTATED_LINES = {  # line: what becomes of it
    3: [
        "def add(self, size: int | None = 2) -> int | None:",
        "def add(self, size: int | None = 0) -> int | None:",
    ],
    4: ["if size or self.given:", "if not size and self.given:"],
    5: ["return size - self.given", "return None"],
    6: ["return True"],
}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A small module, by its path from the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("dose.py").write_text(SOURCE)
    return Path("dose.py")


def test_operators_and_constants_are_mutated_but_not_what_is_never_otherwise(module):
    assert {
        line: [m.changed_lines[1] for m in list_mutations([module]) if m.line == line]
        for line in range(1, 10)
    } == {1: [], 2: [], 7: [], 8: [], 9: [], **MUTATED_LINES}


def test_a_mutation_is_placed_in_its_function_and_its_statement(module):
    first = list_mutations([module])[0]
    assert (first.line, first.function, first.statement_lines) == (4, "Dose.add", range(4, 5))


def test_a_sample_has_the_share_of_each_room_and_is_the_same_for_its_seed():
    sizes = {"facts": 60, "runs": 30}
    mutations = [
        Mutation(DOMAIN / room / "file.py", "", 1, type(None), number)
        for room, size in sizes.items()
        for number in range(size)
    ]
    sample = sample_by_room(mutations, 30, seed=1)
    assert abs(sum("facts" in m.file.parts for m in sample) - 20) <= 1
    assert sample == sample_by_room(mutations, 30, seed=1) != sample_by_room(mutations, 30, seed=2)


REACH = {
    "test_a.py::test_slow": {"duration_s": 9.0, "lines": {"dose.py": [4, 5], "other.py": [1]}},
    "test_a.py::test_quick": {"duration_s": 0.1, "lines": {"dose.py": [4]}},
    "test_b.py::test_near_by": {"duration_s": 0.1, "lines": {"dose.py": [5]}},
    "test_b.py::test_endless": {"duration_s": 99.0, "lines": {"dose.py": [1, 5]}},
    "test_c.py::test_elsewhere": {"duration_s": 0.1, "lines": {"other.py": [4]}},
}


def test_tests_of_the_line_come_before_tests_of_its_file_and_quick_ones_first(module):
    batches = choose_tests(REACH, list_mutations([module])[0])
    assert batches == [
        ["test_a.py::test_quick"],
        ["test_a.py::test_slow"],
        ["test_b.py::test_near_by"],
    ]


def test_a_mutant_is_killed_by_a_test_that_fails_in_the_copy_and_the_copy_is_restored(module):
    module.write_text("def add(size):\n    return size + 0\n")
    copy = Path("copy").resolve()
    copy.mkdir()
    (copy / module).write_text(module.read_text())
    (copy / "test_dose.py").write_text("from dose import add\ndef test_add(): assert add(1) == 1")
    reach = {"test_dose.py": {"duration_s": 0.1, "lines": {"dose.py": [2]}}}
    trials = try_mutations(list_mutations([module]), reach, [copy])
    assert {mutation.changed_lines[1]: killed for mutation, killed in trials} == {
        "return size + 1": True,
        "return size + -1": True,
        "return size - 0": False,
        "return None": True,
    }
    assert (copy / module).read_text() == module.read_text()


def test_a_judgement_covers_a_mutation_wherever_its_line_has_moved(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    file = DOMAIN / "runs" / "run.py"
    file.parent.mkdir(parents=True)
    file.write_text("# more\n# lines\ndef add(a, b):\n    return a + b\n")
    judgement = Judgement(
        file="runs/run.py",
        function="add",
        original_line="return a + b",
        mutated_line="return a - b",
        verdict="equivalent",
        reason="b is 0",
    )
    lines = [m.changed_lines[1] for m in list_mutations([file]) if judgement.covers(m)]
    assert lines == ["return a - b"]
