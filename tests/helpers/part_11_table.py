"""docs/part-11.md, from the marks of the tests: the line of a paragraph names those that prove it.

``python -m tests.helpers.part_11_table > docs/part-11.md`` writes it.
"""

import ast
import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OF_THE_SPONSOR = "The sponsor's"
_MARK = "part11"
_HEAD = """# 21 CFR 11 and ICH E6(R3) 4, and the tests

What the regulations on electronic records and signatures ask, how Aegis answers, and the tests
that prove it. The page is written by `make part-11` from the marks of the tests
(`@pytest.mark.part11("11.50(a)")`); a test fails when it is not current, or when a line has no
test and is not the sponsor's. It is no certificate: whoever runs a trial validates the
installation for its use.

Sources: 21 CFR part 11 (2024); ICH E6(R3), 6 January 2025, section 4.
"""


@dataclass(frozen=True)
class Requirement:
    """A paragraph of a rule: what it asks, and the answer to it."""

    rule: str
    paragraph: str
    asks: str
    answer: str


def load_requirements():
    """Return the requirements in the order of their paragraphs."""
    with (ROOT / "tests/helpers/part_11_requirements.csv").open(newline="") as file:
        return [Requirement(**row) for row in csv.DictReader(file)]


def find_proofs() -> Mapping[str, list[tuple[str, str]]]:
    """Return by paragraph the tests with its mark, each with its file."""
    proofs = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if _MARK in text:
            for paragraph, name in _list_marks(ast.parse(text)):
                proofs.setdefault(paragraph, []).append((str(path.relative_to(ROOT)), name))
    return proofs


def write_table() -> str:
    """Return the page."""
    proofs = find_proofs()
    parts = [_HEAD]
    rule = ""
    for requirement in load_requirements():
        if requirement.rule != rule:
            rule = requirement.rule
            head = f"\n## {rule}\n\n| paragraph | asks | answer | tests |\n|---|---|---|---|\n"
            parts.append(head)
        tests = "<br>".join(
            f"[{_describe(name)}](../{file})"
            for file, name in proofs.get(requirement.paragraph, [])
        )
        cells = requirement.paragraph, requirement.asks, requirement.answer, tests or "-"
        parts.append(f"| {' | '.join(cells)} |\n")
    return "".join(parts)


def _list_marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                is_call = isinstance(decorator, ast.Call)
                if is_call and getattr(decorator.func, "attr", "") == _MARK:
                    for argument in decorator.args:
                        yield ast.literal_eval(argument), node.name


def _describe(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    sys.stdout.write(write_table())
