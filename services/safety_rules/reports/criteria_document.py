"""``docs/criteria.md``: every published wording with its thresholds, for a clinician to sign.

Run ``python -m services.safety_rules.reports.criteria_document > docs/criteria.md``.
"""

from collections.abc import Iterator, Mapping

from services.safety_rules.adapters.criteria_files import (
    CriteriaTable,
    PublishedTerm,
    load_table,
)
from services.safety_rules.domain.ctcae.criterion import Arm, ArmPopulation, Criterion
from services.safety_rules.domain.dosing.case import format_duration
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


def write_document(tables: tuple[CriteriaTable, ...]) -> Iterator[str]:
    """Yield the lines of the document."""
    yield from _HEAD.splitlines()
    for table in tables:
        yield ""
        yield f"# {table.name.upper().replace('-', ' v')}"
        yield ""
        yield f"{len(table.terms)} terms; {len(table.criteria)} are graded by numbers, below."
        for soc, criteria in _group_by_soc(table).items():
            yield ""
            yield f"## {soc}"
            for criterion in criteria:
                yield from _write_criterion(criterion)
        yield from _write_terms_not_by_number(table)
        yield from _write_assessed_terms(table)


def _group_by_soc(table: CriteriaTable) -> Mapping[str, list[Criterion]]:
    by_soc: dict[str, list[Criterion]] = {}
    for criterion in sorted(table.criteria.values(), key=lambda c: (c.soc, c.term)):
        by_soc.setdefault(criterion.soc, []).append(criterion)
    return by_soc


def _write_criterion(criterion: Criterion) -> Iterator[str]:
    yield ""
    yield f"### {criterion.term} ({criterion.meddra_code})"
    yield ""
    yield f"`{criterion.id}`"
    yield ""
    if criterion.min_duration is not None:
        needed_time = format_duration(criterion.min_duration)
        yield f"In a course, a grade is only possible until it lasts for longer than {needed_time}."
        yield ""
    yield from _WIDE
    for grade, says in sorted(criterion.wordings.items()):
        read = "<br>".join(_write_thresholds(criterion, grade)) or "clinician's assessment"
        yield f"| {grade:d} | {_write_cell(says)} | {read} |"


def _write_thresholds(criterion: Criterion, grade: Grade) -> Iterator[str]:
    """Yield the thresholds of each measure; measures with the same ones share a line."""
    measures_by_arms: dict[int, list[str]] = {}  # by id: one object per line of the file
    for measure, arms in criterion.arms.items():
        measures_by_arms.setdefault(id(arms), []).append(measure)
    for measures in measures_by_arms.values():
        texts = list(_write_arms(criterion.arms[measures[0]], grade))
        if texts:
            not_followed = criterion.unfollowed_measures.intersection(measures)
            note = " (not followed)" if not_followed else ""
            yield f"{', '.join(measures)}{note}: {'; '.join(texts)}"


def _write_arms(arms: tuple[Arm, ...], grade: Grade) -> Iterator[str]:
    for arm in arms:
        texts = [f"`{threshold.text}`" for threshold in arm.grades.get(grade, ())]
        if texts:
            prefix = "" if arm.population is ArmPopulation.ANY_BASELINE else f"{arm.population}: "
            yield prefix + " or ".join(texts)


def _write_terms_not_by_number(table: CriteriaTable) -> Iterator[str]:
    yield ""
    yield "## Terms with a number that is not read from a value"
    yield ""
    yield "| term | MedDRA | graded by |"
    yield "|---|---|---|"
    for slug, why in sorted(table.not_by_number.items()):
        term = table.terms[slug]
        yield f"| {term.term} | {term.meddra_code} | {_write_cell(why)} |"


def _write_assessed_terms(table: CriteriaTable) -> Iterator[str]:
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


def _write_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Print the document."""
    print("\n".join(write_document((load_table("ctcae-5.0"), load_table("ctcae-6.0")))))  # noqa: T201


if __name__ == "__main__":
    main()
