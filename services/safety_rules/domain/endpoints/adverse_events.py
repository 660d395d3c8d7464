"""Adverse events in a window after treatment: proportions by term and worst grade."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.safety_rules.domain.endpoints.intervals import estimate_proportion
from services.safety_rules.domain.facts.anchors import Stretch
from services.vocabulary.endpoint import TermRow
from services.vocabulary.episode import EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade

_NOTHING = Span(Grade.NONE, Grade.NONE)
_GRADES = (Grade.MILD, Grade.MODERATE, Grade.SEVERE, Grade.LIFE_THREATENING, Grade.DEATH)


@dataclass(frozen=True, slots=True)
class WorstGrade:
    """The worst grade of one participant under one term."""

    participant: str
    term: str
    span: Span


def find_worst_grades(
    records: Iterable[EpisodeContent],
    windows: Mapping[str, Sequence[Stretch]],
    counts: Callable[[str], bool],
) -> list[WorstGrade]:
    """Return the worst grade of each participant and term inside the participant's window.

    A record counts when it is certain, began inside the window and after exposure, was not
    rejected and is no part of a syndrome that is counted itself.

    Args:
        records: Those that were not retracted.
        windows: Where the window of each evaluable participant lies; others are left out.
        counts: Says whether a criterion is among those that are counted.
    """
    worst: dict[tuple[str, str], Span] = {}
    for record in records:
        inside = [s for s in windows.get(record.participant, ()) if record.onset_at in s]
        if not inside or not _may_count(record) or not counts(record.criterion):
            continue
        key = record.participant, record.term
        span = _worst_of(change.span for change in record.history if change.at < inside[0].end)
        worst[key] = _worst_of((worst.get(key, _NOTHING), span))
    return [
        WorstGrade(who, term, span)
        for (who, term), span in sorted(worst.items())
        if span.at_least > Grade.NONE
    ]


def tabulate_terms(
    worst: Sequence[WorstGrade], evaluable: int, together: str
) -> tuple[TermRow, ...]:
    """Return the row of all terms, called *together*, then one for each term.

    Raises:
        ValueError: More participants had an event than are *evaluable*.
    """
    of_anything: dict[str, Span] = {}
    by_term: dict[str, list[Span]] = {}
    for one in worst:
        before = of_anything.get(one.participant, _NOTHING)
        of_anything[one.participant] = _worst_of((before, one.span))
        by_term.setdefault(one.term, []).append(one.span)
    of_terms = [_row(term, spans, evaluable) for term, spans in by_term.items()]
    of_terms.sort(key=lambda row: (-row.any_grade.count, -row.severe.count, row.term))
    return _row(together, list(of_anything.values()), evaluable), *of_terms


def _may_count(record: EpisodeContent) -> bool:
    return not (
        record.before_exposure
        or record.possible
        or record.linked_to
        or record.state is EpisodeState.REJECTED
    )


def _worst_of(spans: Iterable[Span]) -> Span:
    found = [*spans]
    return Span(max(s.at_least for s in found), max(s.at_most for s in found))


def _row(term: str, spans: Sequence[Span], evaluable: int) -> TermRow:
    grades = Counter(span.at_least for span in spans)
    mild, moderate, severe, threatening, death = (grades[grade] for grade in _GRADES)
    return TermRow(
        term,
        (mild, moderate, severe, threatening, death),
        estimate_proportion(len(spans), evaluable),
        estimate_proportion(severe + threatening + death, evaluable),
        sum(span.at_most >= Grade.SEVERE for span in spans),
    )
