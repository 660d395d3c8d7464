"""A run: one time during which a criterion's grade was above its baseline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.vocabulary.episode import Change, Span


@dataclass(frozen=True, slots=True)
class GradeRun:
    """A run of grades by its readings alone, before adjudication.

    Args:
        onset_at: First instant certainly above the baseline grade (of a possible run: first
            instant that may be).
        history: Every change of grade; the first that is certain is at *onset_at*, and only a
            syndrome's has changes before it; empty only when nothing but a death made the run.
        last_evidence_at: The last reading that the run rests on; of an open run, up to its last
            change. Later evidence of no change makes no other run.
        resolved_at: First instant certainly not above it; None while open.
        onset_not_before: Earliest possible onset when readings just before leave it open.
        resolved_not_before: Earliest possible end when readings before leave it open.
        possible: No reading is certain.
        provisional: Evidence of onset or of the worst grade is not final.
        before_exposure: The run lies before the baseline anchor.
        outside_inducer_window: The run of a syndrome has no sign at a time when its causes act.
        other_scales: Worst grade on scales that are not of record.
        died_at: The death that was adjudicated to it, its grade 5; None: none was.
        died_by: Ids of the adjudications of that death whose instants lie in no run.
    """

    onset_at: datetime
    history: tuple[Change, ...]
    last_evidence_at: datetime = field(compare=False)
    resolved_at: datetime | None = None
    onset_not_before: datetime | None = None
    resolved_not_before: datetime | None = None
    possible: bool = False
    provisional: bool = False
    before_exposure: bool = False
    outside_inducer_window: bool = False
    other_scales: Mapping[str, Span] = field(default_factory=dict)
    died_at: datetime | None = None
    died_by: tuple[str, ...] = ()
