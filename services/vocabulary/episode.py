"""Adverse event records and their versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.vocabulary.grade import Grade


@dataclass(frozen=True, slots=True)
class Span:
    """A grade as far as it is known: exact when both ends are equal."""

    at_least: Grade
    at_most: Grade

    def __str__(self) -> str:
        """``3``, or ``2-4``."""
        ends = dict.fromkeys((self.at_least, self.at_most))
        return "-".join(f"{end:d}" for end in ends)


def find_worst_span(spans: Iterable[Span]) -> Span:
    """Return the worst of *spans*, at least one, at each end.

    >>> str(find_worst_span([Span(Grade.MILD, Grade.SEVERE), Span(Grade.MODERATE, Grade.MODERATE)]))
    '2-3'
    """
    ends = [(span.at_least, span.at_most) for span in spans]
    return Span(max(low for low, _ in ends), max(high for _, high in ends))


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the grade to *span* at *at*, because of *facts* (ids, in order)."""

    at: datetime
    span: Span
    because: str
    missing: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


class EpisodeState(StrEnum):
    """The state of human review of a record."""

    SUSPECTED = "suspected"  # made by the machine, seen by nobody
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    RETRACTED = "retracted"  # the facts behind it were corrected away


@dataclass(frozen=True, slots=True)
class EpisodeContent:
    """The content of a record: one run of one criterion in one participant.

    A function of the set of facts alone. Instants are aware, in UTC.

    Args:
        participant: Of the surviving participant.
        criterion: Id with version, e.g. ``ctcae-5.0.neutrophil-count-decreased``.
        term: As published.
        onset_at: First instant at which the grade was certainly above *baseline_grade*.
        onset_not_before: Earliest possible onset, when readings just before leave it open.
        resolved_at: First instant at which it was certainly not above it; None while open.
        resolved_not_before: Earliest possible resolution, when readings before leave it open.
        history: Every change of grade, in order; the first that is certain is at *onset_at*. Only a
            syndrome's has changes before it, in which the grade was not known.
        worst: Of the whole run, after any regrading.
        current: Of the last reading; NONE once resolved.
        baseline_grade: The grade above which it counts.
        before_exposure: The run lies before the baseline anchor, and is in no rule.
        outside_inducer_window: All signs of the syndrome lie outside the windows of its causes.
        possible: No reading is certainly above the baseline grade: a data query, no record.
        windows: Names of the protocol's windows that *onset_at* falls in.
        transplant_day: Of the onset; graft = day 0.
        treatment_day: Of the onset; first dose = day 1; None before it.
        state: Suspected, confirmed or rejected.
        provisional: Evidence of onset or worst grade is not final.
        attribution: The cause that an adjudicator named.
        serious: Reasons of seriousness: ``death``, ``life-threatening``, ``icu``, ...
        confounders: Other possible explanations.
        linked_to: Criterion of the syndrome that it is a part of, or empty.
        other_scales: Worst grade of the same syndrome on scales that are not of record.
        adjudications: Fact ids of the human decisions that stand.
    """

    participant: str
    criterion: str
    term: str
    onset_at: datetime
    history: tuple[Change, ...]
    worst: Span
    current: Span
    baseline_grade: Grade = Grade.NONE
    onset_not_before: datetime | None = None
    resolved_at: datetime | None = None
    resolved_not_before: datetime | None = None
    before_exposure: bool = False
    possible: bool = False
    windows: tuple[str, ...] = ()
    transplant_day: int | None = None
    treatment_day: int | None = None
    state: EpisodeState = EpisodeState.SUSPECTED
    provisional: bool = False
    attribution: str = ""
    serious: tuple[str, ...] = ()
    confounders: tuple[str, ...] = ()
    linked_to: str = ""
    other_scales: Mapping[str, Span] | None = None
    adjudications: tuple[str, ...] = ()
    outside_inducer_window: bool = False


@dataclass(frozen=True, slots=True)
class Episode:
    """A version of a record.

    *id* is uuid5 of participant, criterion and the seq that created it. *recorded_at* is the
    received_at of the fact that caused the version; *seq* is that fact's.
    """

    id: str
    version: int
    content: EpisodeContent
    seq: int
    recorded_at: datetime
    rules_version: str
    cause: str = ""  # reason of this version: ``new``, ``changed``, ``retracted``, ``merged``, ...
    retracted: bool = False
    merged_into: str = ""

    @property
    def state(self) -> EpisodeState:
        """Retracted, or the state of the content."""
        return EpisodeState.RETRACTED if self.retracted else self.content.state
