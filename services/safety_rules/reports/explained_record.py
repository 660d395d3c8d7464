"""An explained record: the values that a report of all its evidence is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.safety_rules.domain.ctcae.open_thresholds import OpenThreshold
from services.safety_rules.domain.episodes.adjudication_effects import AdjudicationEffect
from services.safety_rules.domain.episodes.version_changes import VersionChange
from services.safety_rules.reports.record_wording import Wording
from services.vocabulary.episode import Change, Episode
from services.vocabulary.fact import Fact


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant with its transplant and treatment days; None: there is no such day."""

    instant: datetime
    transplant_day: int | None
    treatment_day: int | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of one grade.

    Args:
        begins: Its first instant.
        ends: The first instant after it; None: nothing shows its end.
        change: As the record has it.
        as_graded: The grade from the facts alone, where a person set another; None: nobody did.
        facts: Ids of all facts that made the grade.
        other_readings: Ids of what else was charted of the same syndrome by then.
        later_facts: Ids of what was reported until its end and left the grade as it was.
        could_be: Thresholds that it may still meet, mildest first.
    """

    begins: Moment
    ends: Moment | None
    change: Change
    as_graded: Change | None
    facts: tuple[str, ...]
    other_readings: tuple[str, ...]
    later_facts: tuple[str, ...]
    could_be: tuple[OpenThreshold, ...]


@dataclass(frozen=True, slots=True)
class ExplainedVersion:
    """A version, its differences from the one before, and the ids of the facts that made it."""

    version: int
    recorded_at: datetime
    cause: str
    rules_version: str
    changes: tuple[VersionChange, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExplainedAdjudication:
    """A person's decision on the record, and what it set."""

    fact: str
    signed_at: datetime
    effects: tuple[AdjudicationEffect, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that one record rests on.

    Args:
        versions: Of the record, the oldest first.
        timezone: Of the participant's site.
        onset: Of the record.
        resolution: The end of the record; None: it is open.
        ended_by: Ids of the readings that showed its end.
        wordings: Of every grade that was or may have been reached, on every scale.
        has_baseline: True if it is compared with the value before exposure, known or not.
        baseline: Ids of the results that are the value before exposure, and of the last ones
            then of what is graded beside it.
        baseline_at: Of the baseline; None: it is not known, or of several instants.
        baseline_side: The side of its own limits on which it lies, as far as a grade asks.
        stretches: Of the latest version, in order.
        changes: Of each version.
        adjudications: In the order in which they were signed.
        facts: Every fact that is named, by id.
        is_current: False when the rules that run make another record of the facts.
    """

    versions: tuple[Episode, ...]
    timezone: str
    onset: Moment
    resolution: Moment | None
    ended_by: tuple[str, ...]
    wordings: tuple[Wording, ...]
    has_baseline: bool
    baseline: tuple[str, ...]
    baseline_at: Moment | None
    baseline_side: str
    stretches: tuple[Stretch, ...]
    changes: tuple[ExplainedVersion, ...]
    adjudications: tuple[ExplainedAdjudication, ...]
    facts: Mapping[str, Fact]
    is_current: bool
