"""``docs/criteria.md``: every published wording beside what is read in it, for a clinician to sign.

Run ``python -m services.safety_rules.criteria_document > docs/criteria.md``.
"""

from collections.abc import Iterator, Mapping

from services.safety_rules.adapters.criteria_files import (
    CriteriaTable,
    PublishedTerm,
    load_table,
)
from services.safety_rules.domain.ctcae.criterion import Arm, ArmPopulation, Criterion
from services.vocabulary.grade import Grade

_HEAD = """# Criteria: the published wording beside the thresholds

Written by `make criteria` from `services/safety_rules/criteria/`; a test compares the two. On the
left are NCI's words, on the right what Aegis reads in them, for a clinician to sign. The worst
threshold that is met is the grade; where the text is silent,
[decisions/grading.md](decisions/grading.md) says what was decided.

- `LLN`, `ULN`: limits of normal; `baseline`: the last final value before the first dose.
- "baseline abnormal": above ULN for what increases, below LLN for what decreases.
- "not followed": graded on request (`aegis grade`); makes no record in a participant's course.
- What has no threshold takes a clinician's assessment, under its own wording and code.
"""
_WIDE = ("| grade | published | thresholds |", "|---|---|---|")


def document(tables: tuple[CriteriaTable, ...]) -> Iterator[str]:
    """Yield the lines of the document."""
    yield from _HEAD.splitlines()
    for table in tables:
        yield ""
        yield f"# {table.name.upper().replace('-', ' v')}"
        yield ""
        yield f"{len(table.terms)} terms; {len(table.criteria)} are graded by numbers, below."
        for soc, criteria in _by_soc(table).items():
            yield ""
            yield f"## {soc}"
            for criterion in criteria:
                yield from _criterion(criterion)
        yield from _otherwise(table)
        yield from _assessed(table)


def _by_soc(table: CriteriaTable) -> Mapping[str, list[Criterion]]:
    found: dict[str, list[Criterion]] = {}
    for criterion in sorted(table.criteria.values(), key=lambda c: (c.soc, c.term)):
        found.setdefault(criterion.soc, []).append(criterion)
    return found


def _criterion(criterion: Criterion) -> Iterator[str]:
    yield ""
    yield f"### {criterion.term} ({criterion.meddra_code})"
    yield ""
    yield f"`{criterion.id}`"
    yield ""
    yield from _WIDE
    for grade, says in sorted(criterion.wordings.items()):
        read = "<br>".join(_thresholds(criterion, grade)) or "clinician's assessment"
        yield f"| {grade:d} | {_cell(says)} | {read} |"


def _thresholds(criterion: Criterion, grade: Grade) -> Iterator[str]:
    """Yield what each measure is compared with, measures that are read alike in one line."""
    alike: dict[int, list[str]] = {}  # the same object where one line of the file says it
    for measure, arms in criterion.arms.items():
        alike.setdefault(id(arms), []).append(measure)
    for measures in alike.values():
        said = list(_arms(criterion.arms[measures[0]], grade))
        if said:
            not_followed = criterion.unfollowed_measures.intersection(measures)
            note = " (not followed)" if not_followed else ""
            yield f"{', '.join(measures)}{note}: {'; '.join(said)}"


def _arms(arms: tuple[Arm, ...], grade: Grade) -> Iterator[str]:
    for arm in arms:
        texts = [f"`{threshold.text}`" for threshold in arm.grades.get(grade, ())]
        if texts:
            prefix = "" if arm.population is ArmPopulation.ANY_BASELINE else f"{arm.population}: "
            yield prefix + " or ".join(texts)


def _otherwise(table: CriteriaTable) -> Iterator[str]:
    yield ""
    yield "## Terms with a number that is not read from a value"
    yield ""
    yield "| term | MedDRA | graded by |"
    yield "|---|---|---|"
    for slug, why in sorted(table.not_by_number.items()):
        term = table.terms[slug]
        yield f"| {term.term} | {term.meddra_code} | {_cell(why)} |"


def _assessed(table: CriteriaTable) -> Iterator[str]:
    rest = [term for slug, term in table.terms.items() if _is_assessed(table, slug)]
    yield ""
    yield "## Terms without a number: a clinician's assessment"
    by_soc: dict[str, list[PublishedTerm]] = {}
    for term in rest:
        by_soc.setdefault(term.soc, []).append(term)
    for soc, terms in sorted(by_soc.items()):
        names = sorted(f"{term.term} ({term.meddra_code})" for term in terms)
        yield ""
        yield f"**{soc}**: {'; '.join(names)}."


def _is_assessed(table: CriteriaTable, slug: str) -> bool:
    return f"{table.name}.{slug}" not in table.criteria and slug not in table.not_by_number


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Print the document."""
    print("\n".join(document((load_table("ctcae-5.0"), load_table("ctcae-6.0")))))  # noqa: T201


if __name__ == "__main__":
    main()
