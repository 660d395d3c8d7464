"""The study drug in a protocol: its doses, and their changes at grades and results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.quantity import Quantity


class DoseAction(StrEnum):
    """A recommendation about the dose, the mildest first."""

    NONE = "none"
    INTERRUPT = "interrupt"
    WITHHOLD = "withhold"
    CONSIDER_DISCONTINUING = "consider discontinuing"
    DISCONTINUE = "discontinue"

    @property
    def level(self) -> int:
        """The rank of the action: 0 is none."""
        return list(DoseAction).index(self)


@dataclass(frozen=True, slots=True)
class AtGrade:
    """The action once a grade is reached.

    Args:
        do: At once.
        until_grade: Withheld until the grade is this or less; None: for good, or as others say.
        at_least: Withheld for this long at least.
        discontinue_after: Discontinued when coming back to *until_grade* takes longer.
        discontinue_at: Discontinued when it was reached at this rate, the lowest, or less.
    """

    do: DoseAction
    until_grade: int | None = None
    at_least: timedelta = timedelta(0)
    discontinue_after: timedelta | None = None
    discontinue_at: Quantity | None = None


@dataclass(frozen=True, slots=True)
class DoseRule:
    """A rule on the grade of records, on multiples of ULN, or on the number of seizures.

    Args:
        any_of: Patterns of the records that it covers.
        at_grade: The action at each grade; a grade in between has that of the one below.
        laboratory_alone_from: Below this grade a record from laboratory results alone has no
            action until a clinician has confirmed it.
        over_uln: By measure, the multiple of ULN above which *do* applies.
        more_seizures_than: Number since the first dose above which *do* applies.
        seizures_apart: Seizures reported in two ways this near to each other are one.
        do: The action with *over_uln* and *more_seizures_than*.
    """

    any_of: tuple[EventPattern, ...] = ()
    at_grade: Mapping[int, AtGrade] = field(default_factory=dict)
    laboratory_alone_from: int = 1
    over_uln: Mapping[str, Decimal] = field(default_factory=dict)
    more_seizures_than: int | None = None
    seizures_apart: timedelta = timedelta(0)
    do: DoseAction = DoseAction.NONE


@dataclass(frozen=True, slots=True)
class DoseStep:
    """The *rate* from day *first* to day *last* of a course, both included."""

    first: int
    last: int
    rate: Quantity


@dataclass(frozen=True, slots=True)
class Restart:
    """The restart of an interrupted infusion: at *rate*, raised again after *rise_after*.

    After a pause longer than *same_course_within* the next course begins.
    """

    rate: Quantity
    rise_after: timedelta
    same_course_within: timedelta


@dataclass(frozen=True, slots=True)
class Dosing:
    """The schedule of a course, and the rules by name: the first that fits a record applies.

    *restart_is_assumed*: nobody has signed the restart of an interrupted infusion.
    """

    schedule: tuple[DoseStep, ...]
    rules: Mapping[str, DoseRule]
    restart: Restart
    restart_is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class HysLaw:
    """Biochemical criteria of drug-induced liver injury, in multiples of ULN."""

    aminotransferase_over: Decimal
    bilirubin_over: Decimal
    within: timedelta
    alp_below: Decimal


@dataclass(frozen=True, slots=True)
class Premedication:
    """Premedication: *dose* of *drug* within *within* before days of a course and restarts."""

    drug: str
    dose: Quantity
    within: timedelta
    on_days: tuple[int, ...]
    after_pause: timedelta  # a restart after a pause of this length or more


@dataclass(frozen=True, slots=True)
class Deviations:
    """Rules whose deviations are reported once they could have been charted."""

    first_course_on: tuple[int, int]  # transplant days, both inside
    premedication: Premedication
    charted_within: timedelta
