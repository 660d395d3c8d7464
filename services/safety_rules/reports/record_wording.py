"""The published text of the grades of a record, on each scale that it was graded on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.safety_rules.adapters.criteria_files import CriteriaTable, load_published_terms
from services.safety_rules.adapters.scale_wording import ScaleRow, load_scale_rows
from services.vocabulary.episode import EpisodeContent, Span
from services.vocabulary.grade import Grade


@dataclass(frozen=True, slots=True)
class Wording:
    """The text of one grade.

    Args:
        criterion: Term or scale, with its version.
        grade: The grade.
        says: As published; of a scale, in our words.
        source: Where it is published.
        is_met: True if it was certainly reached; False: it may have been.
        is_paraphrase: True if it is in our words, as the publisher's are not free.
    """

    criterion: str
    grade: Grade
    says: str
    source: str
    is_met: bool
    is_paraphrase: bool


def list_wordings(
    table: CriteriaTable, content: EpisodeContent, spans: Iterable[Span]
) -> Iterator[Wording]:
    """Yield the text of every grade of *content* that is, or may be, in *spans*, mildest first.

    Of a scale that is not of record, only of its worst grade.
    """
    spans = list(spans)
    reached_grades = {span.at_least for span in spans}
    possible_grades = {grade for span in spans for grade in _list_grades(span)}
    yield from _list_rows(table, content.criterion, reached_grades, possible_grades)
    for scale, span in sorted((content.other_scales or {}).items()):
        yield from _list_rows(table, scale, {span.at_least}, set(_list_grades(span)))


def _list_rows(
    table: CriteriaTable, criterion: str, reached_grades: set[Grade], possible_grades: set[Grade]
) -> Iterator[Wording]:
    rows, is_paraphrase = _find_rows(criterion, table), criterion in load_scale_rows()
    for grade in sorted((reached_grades | possible_grades) & rows.keys()):
        row = rows[grade]
        yield Wording(
            criterion, grade, row.says, row.source, grade in reached_grades, is_paraphrase
        )


def _list_grades(span: Span) -> list[Grade]:
    """Return the grades above the lower end of *span*, up to its upper end."""
    return [grade for grade in Grade if span.at_least < grade <= span.at_most]


def _find_rows(criterion: str, table: CriteriaTable) -> Mapping[Grade, ScaleRow]:
    scale_rows = load_scale_rows().get(criterion)
    if scale_rows is not None:
        return scale_rows
    name, _, slug = criterion.rpartition(".")
    terms = table.terms if name == table.name else load_published_terms(name)
    term = terms.get(slug)
    if term is None:
        return {}
    source = f'{name.upper().replace("-", " v")}, {term.soc}, "{term.term}"'
    return {grade: ScaleRow(says, source) for grade, says in term.says.items()}
