"""Recommendations from the facts of one participant to the people who run the trial."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AdviceKind(StrEnum):
    """The subject of a recommendation."""

    DOSE = "dose"
    HYS_LAW = "hys_law"
    DEVIATION = "deviation"


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation: a function of the facts and of the time; names no person and no date.

    Args:
        participant: Pseudonym of the survivor of merges.
        kind: Its subject.
        rule: Name in the protocol, e.g. ``neurotoxicity``.
        level: Its strength; 0 when nothing is certain. A rise is news.
        says: The recommendation or the finding, e.g. ``withhold blinatumomab``.
        since: Its beginning; aware, in UTC, as is *until*.
        until: The end of its grounds; None while they last, or for good.
        because: Sentences with its grounds.
        then: Sentences with the next steps.
        missing: Inputs that would make it certain, or worse.
        may_be: The recommendation if *missing* turned out worst; empty when it is the same.
        suspected: No clinician has confirmed its grounds.
        provisional: It rests on results that are not final.
        criterion: Of the record that it is about; empty when it is about none.
        facts: Ids of the facts that it rests on.
        transplant_day: Of *since*; graft = day 0.
        treatment_day: Of *since*; first dose = day 1.
        over_on: Treatment day of *until*.
    """

    participant: str
    kind: AdviceKind
    rule: str
    level: int
    says: str
    since: datetime
    until: datetime | None = None
    because: tuple[str, ...] = ()
    then: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    may_be: str = ""
    suspected: bool = True
    provisional: bool = False
    criterion: str = ""
    facts: tuple[str, ...] = ()
    transplant_day: int | None = None
    treatment_day: int | None = None
    over_on: int | None = None


@dataclass(frozen=True, slots=True)
class AdvicePeriod:
    """The recommendations for one participant from *since* on (aware, in UTC)."""

    since: datetime
    advice: tuple[Advice, ...]
