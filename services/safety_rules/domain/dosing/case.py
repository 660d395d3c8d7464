"""The inputs of every recommendation about the study drug, and its making."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.safety_rules.domain.dosing.results import NO_RESULTS, MeasureResults
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.facts.infusion import Infusion
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Fact
from services.vocabulary.protocol import Protocol
from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.recommendation import Advice, AdviceKind


@dataclass(frozen=True, slots=True)
class DosingCase:
    """The state of one participant at *as_of*; facts are those that stand, oldest first.

    Args:
        participant: Pseudonym.
        protocol: The study's.
        anchors: Of the participant.
        records: The current ones.
        infusion: Of the study drug.
        as_of: Instant of the recommendations; aware, in UTC.
        results: By measure, of the measures that the protocol compares with limits.
        seizures: Observations of seizures.
        premedication: Doses of the protocol's premedication.
        matches: True if a criterion is the pattern's.
        last_evidence: Returns the instant of the last evidence of a record; None: not known.
        is_laboratory: True if a criterion is graded from laboratory results.
    """

    participant: str
    protocol: Protocol
    anchors: Anchors
    records: Sequence[EpisodeContent]
    infusion: Infusion
    as_of: datetime
    results: Mapping[str, MeasureResults]
    seizures: Sequence[Fact]
    premedication: Sequence[Fact]
    matches: Callable[[str, EventPattern], bool]
    last_evidence: Callable[[EpisodeContent], datetime | None]
    is_laboratory: Callable[[str], bool]

    def describe_day(self, instant: datetime) -> str:
        """Return the treatment day of *instant* in words."""
        return f"treatment day {self.anchors.find_treatment_day(instant)}"

    def find_results(self, measure: str) -> MeasureResults:
        """Return the results of *measure*; they count from the first dose on."""
        return self.results.get(measure, NO_RESULTS)


@dataclass(frozen=True, slots=True)
class TimedAdvice:
    """A recommendation (None: not yet), and when it changes without a fact (None: never)."""

    advice: Advice | None
    due_at: datetime | None = None


def make_advice(
    case: DosingCase, kind: AdviceKind, rule: str, start: datetime, **fields: object
) -> Advice:
    """Return a recommendation about *case*, with the days of its instants."""
    end = fields.get("until")
    return Advice(
        participant=case.participant,
        kind=kind,
        rule=rule,
        since=start,
        transplant_day=case.anchors.find_transplant_day(start),
        treatment_day=case.anchors.find_treatment_day(start),
        over_on=case.anchors.find_treatment_day(end) if isinstance(end, datetime) else None,
        **fields,  # type: ignore[arg-type]  # the fields of Advice, by name
    )


def format_duration(duration: timedelta) -> str:
    """Return a duration as a protocol writes it.

    >>> [format_duration(timedelta(hours=hours)) for hours in (72, 24, 4)]
    ['3 days', '1 day', '4 hours']
    """
    unit, length = ("day", timedelta(days=1)) if not duration.seconds else ("hour", _HOUR)
    number = duration / length
    return f"{number:g} {unit}{'' if number == 1 else 's'}"


_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)


def find_next_instant(instant: datetime) -> datetime:
    """Return the first instant at which more than the time to *instant* has passed."""
    return instant + _INSTANT
