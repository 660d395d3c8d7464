"""What the facts of one participant recommend to the people who look after the trial."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AdviceKind(StrEnum):
    """What it is about."""

    DOSE = "dose"
    HYS_LAW = "hys_law"
    DEVIATION = "deviation"


@dataclass(frozen=True, slots=True)
class Advice:
    """A function of the facts and of the time. Sentences name no person and no date.

    Args:
        participant: Pseudonym of the survivor of merges.
        kind: What it is about.
        rule: Name in the protocol, e.g. ``neurotoxicity``.
        level: How much it asks for; 0 when nothing is certain. More is news.
        says: What is recommended, or what is so, e.g. ``withhold blinatumomab``.
        since: From when on; aware, in UTC, as is *until*.
        until: When what it rests on was over; None while it lasts, or for good.
        because: Sentences.
        then: Sentences about what comes after.
        missing: What would make it certain, or worse.
        may_be: What it would be if what is missing turned out worst; empty when that is the same.
        suspected: No clinician has confirmed what it rests on.
        provisional: It rests on results that are not final.
        criterion: Of the record that it is about; empty when it is about none.
        facts: Ids of what it rests on.
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
