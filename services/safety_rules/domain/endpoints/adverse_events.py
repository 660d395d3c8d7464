"""Adverse events in a window after treatment: proportions by term and worst grade."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.safety_rules.domain.endpoints.confidence_intervals import estimate_proportion
from services.safety_rules.domain.facts.anchors import WindowPeriod
from services.vocabulary.endpoint import TermRow
from services.vocabulary.episode import EpisodeContent, EpisodeState, Span, find_worst_span
from services.vocabulary.grade import Grade

_NO_GRADE = Span(Grade.NONE, Grade.NONE)
_GRADES = (Grade.MILD, Grade.MODERATE, Grade.SEVERE, Grade.LIFE_THREATENING, Grade.DEATH)


@dataclass(frozen=True, slots=True)
class WorstGrade:
    """The worst grade of one participant under one term."""

    participant: str
    term: str
    span: Span


def find_worst_grades(
    records: Iterable[EpisodeContent],
    windows: Mapping[str, Sequence[WindowPeriod]],
    counts: Callable[[str], bool],
) -> list[WorstGrade]:
    """Return the worst grade of each participant and term inside the participant's window.

    A record counts when it is certain, began inside the window and after exposure, was not
    rejected and is no part of a syndrome that is counted itself.

    Args:
        records: Those that were not retracted.
        windows: The window of each evaluable participant; others are left out.
        counts: Returns True when a criterion is counted.
    """
    worst: dict[tuple[str, str], Span] = {}
    for record in records:
        periods = [s for s in windows.get(record.participant, ()) if record.onset_at in s]
        if not periods or not _may_count(record) or not counts(record.criterion):
            continue
        key = record.participant, record.term
        span = find_worst_span(
            change.span for change in record.history if change.at < periods[0].end
        )
        worst[key] = find_worst_span((worst.get(key, _NO_GRADE), span))
    return [
        WorstGrade(who, term, span)
        for (who, term), span in sorted(worst.items())
        if span.at_least > Grade.NONE
    ]


def tabulate_terms(
    worst: Sequence[WorstGrade], evaluable: int, total_label: str
) -> tuple[TermRow, ...]:
    """Return the row of all terms, called *total_label*, then one for each term.

    Raises:
        ValueError: More participants had an event than are *evaluable*.
    """
    spans_by_participant: dict[str, Span] = {}
    spans_by_term: dict[str, list[Span]] = {}
    for worst_grade in worst:
        previous = spans_by_participant.get(worst_grade.participant, _NO_GRADE)
        spans_by_participant[worst_grade.participant] = find_worst_span(
            (previous, worst_grade.span)
        )
        spans_by_term.setdefault(worst_grade.term, []).append(worst_grade.span)
    term_rows = [_make_row(term, spans, evaluable) for term, spans in spans_by_term.items()]
    term_rows.sort(key=lambda row: (-row.any_grade.count, -row.severe.count, row.term))
    return _make_row(total_label, list(spans_by_participant.values()), evaluable), *term_rows


def _may_count(record: EpisodeContent) -> bool:
    return not (
        record.before_exposure
        or record.possible
        or record.linked_to
        or record.state is EpisodeState.REJECTED
    )


def _make_row(term: str, spans: Sequence[Span], evaluable: int) -> TermRow:
    grades = Counter(span.at_least for span in spans)
    mild, moderate, severe, life_threatening, death = (grades[grade] for grade in _GRADES)
    return TermRow(
        term,
        (mild, moderate, severe, life_threatening, death),
        estimate_proportion(len(spans), evaluable),
        estimate_proportion(severe + life_threatening + death, evaluable),
        sum(span.at_most >= Grade.SEVERE for span in spans),
    )
