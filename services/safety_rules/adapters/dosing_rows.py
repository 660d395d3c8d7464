"""What a protocol says about the study drug, as its file writes it, and the values of it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator

from services.runtime.file_models import Duration, NumberKey, StrictModel
from services.safety_rules.adapters.rule_rows import Number
from services.vocabulary.dosing import (
    AtGrade,
    Deviations,
    DoseAction,
    DoseRule,
    DoseStep,
    Dosing,
    HysLaw,
    Premedication,
    Restart,
)
from services.vocabulary.number_text import UNSIGNED_NUMBER
from services.vocabulary.protocol_event import EventPattern
from services.vocabulary.quantity import Quantity

_AMOUNT = re.compile(rf"({UNSIGNED_NUMBER}) (\S+)")


def _parse_amount(text: object) -> object:
    """Return the quantity that *text* names.

    >>> _parse_amount("8 ug/d")
    Quantity(value=Decimal('8'), unit='ug/d', censoring=None)
    >>> _parse_amount("8")
    Traceback (most recent call last):
        ...
    ValueError: an amount is written like 20 mg or 8 ug/d, not '8'
    """
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"an amount is written like 20 mg or 8 ug/d, not {text!r}")
    return Quantity(Decimal(match[1]), match[2])


_ACTIONS = {action.replace(" ", "_"): action for action in DoseAction}


def _parse_action(name: object) -> object:
    """Return the action that *name* means.

    >>> _parse_action("consider_discontinuing")
    <DoseAction.CONSIDER_DISCONTINUING: 'consider discontinuing'>
    """
    if not isinstance(name, str) or name not in _ACTIONS:
        raise ValueError(f"must be one of: {', '.join(_ACTIONS)}; not {name!r}")
    return _ACTIONS[name]


Amount = Annotated[Quantity, PlainValidator(_parse_amount)]
Action = Annotated[DoseAction, BeforeValidator(_parse_action)]
Days = tuple[int, int]


class _WhichRow(StrictModel):
    scale: str = ""
    term: str = ""
    term_set: str = ""

    def model_post_init(self, _context: object, /) -> None:
        """Refuse two kinds of record in one.

        Raises:
            ValueError: Not exactly one of the three is given.
        """
        if sum(map(bool, (self.scale, self.term, self.term_set))) != 1:
            raise ValueError("exactly one of scale, term and term_set says which records")


class _AtGradeRow(StrictModel):
    do: Action
    until_grade: int | None = Field(None, ge=0, le=4)
    at_least: Duration | None = None
    discontinue_after: Duration | None = None
    discontinue_at: Amount | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse conditions of withholding where nothing is withheld.

        Raises:
            ValueError: They are there without ``withhold``, or ``withhold`` without an end.
        """
        withheld = self.do is DoseAction.WITHHOLD
        if withheld and self.until_grade is None:
            raise ValueError("withhold needs until_grade")
        others = (self.until_grade, self.at_least, self.discontinue_after, self.discontinue_at)
        if not withheld and any(one is not None for one in others):
            raise ValueError("only what is withheld has until_grade, at_least, discontinue_...")

    def value(self) -> AtGrade:
        """The action."""
        return AtGrade(
            self.do,
            self.until_grade,
            self.at_least or timedelta(0),
            self.discontinue_after,
            self.discontinue_at,
        )


class _DoseRuleRow(StrictModel):
    any_of: tuple[_WhichRow, ...] = ()
    at_grade: Mapping[Annotated[NumberKey, Field(ge=1, le=5)], _AtGradeRow] | None = None
    laboratory_alone_from: int | None = Field(None, ge=1, le=5)
    over_uln: Mapping[str, Number] | None = None
    more_seizures_than: int | None = Field(None, ge=0)
    apart: Duration | None = None
    do: Action | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse what is not exactly one kind of rule, with all of its parts.

        Raises:
            ValueError: It is none, several, or half of one.
        """
        about = (bool(self.any_of), bool(self.over_uln), self.more_seizures_than is not None)
        if sum(about) != 1:
            raise ValueError("is about any_of records, over_uln or more_seizures_than: one of them")
        of_records = (bool(self.any_of), self.at_grade is not None, self.do is None)
        if len(set(of_records)) != 1:
            raise ValueError("any_of goes with at_grade, the others with do")
        if self.laboratory_alone_from is not None and not self.any_of:
            raise ValueError("laboratory_alone_from goes with any_of")
        if (self.apart is not None) is not (self.more_seizures_than is not None):
            raise ValueError("apart goes with more_seizures_than")

    def value(self) -> DoseRule:
        """The rule."""
        records = tuple(EventPattern(row.scale, row.term, row.term_set) for row in self.any_of)
        grades = {grade: row.value() for grade, row in sorted((self.at_grade or {}).items())}
        return DoseRule(
            any_of=records,
            at_grade=grades,
            laboratory_alone_from=self.laboratory_alone_from or 1,
            over_uln=self.over_uln or {},
            more_seizures_than=self.more_seizures_than,
            seizures_apart=self.apart or timedelta(0),
            do=self.do or DoseAction.NONE,
        )


class _StepRow(StrictModel):
    days: Days
    rate: Amount


class _RestartRow(StrictModel):
    rate: Amount
    rise_after: Duration
    same_course_within: Duration


class DosingRow(StrictModel):
    """``dosing``, word for word."""

    schedule: tuple[_StepRow, ...] = Field(min_length=1)
    rules: Mapping[str, _DoseRuleRow]
    restart: _RestartRow

    def model_post_init(self, _context: object, /) -> None:
        """Refuse days that overlap or leave a gap, and rates that cannot be compared.

        Raises:
            ValueError: The steps do not follow each other from day 1, or have several units.
        """
        following = 1
        for step in self.schedule:
            first, last = step.days
            if first != following or last < first:
                raise ValueError(f"schedule: a step begins on day {first}, not on day {following}")
            following = last + 1
        rates = [step.rate for step in self.schedule] + [self.restart.rate]
        rates += [
            row.discontinue_at
            for rule in self.rules.values()
            for row in (rule.at_grade or {}).values()
            if row.discontinue_at
        ]
        if len({rate.unit for rate in rates}) != 1:
            raise ValueError("all rates are in one unit")

    def value(self, *, restart_is_assumed: bool) -> Dosing:
        """The schedule and the rules."""
        return Dosing(
            tuple(DoseStep(*row.days, row.rate) for row in self.schedule),
            {name: row.value() for name, row in self.rules.items()},
            Restart(**dict(self.restart)),
            restart_is_assumed=restart_is_assumed,
        )


class HysLawRow(StrictModel):
    """``hys_law``, word for word."""

    aminotransferase_over: Number
    bilirubin_over: Number
    within: Duration
    alp_below: Number

    def value(self) -> HysLaw:
        """The criteria."""
        return HysLaw(**dict(self))


class _PremedicationRow(StrictModel):
    drug: str = Field(min_length=1)
    dose: Amount
    within: Duration
    on_days: tuple[Annotated[int, Field(ge=1, le=365)], ...]
    after_pause: Duration


class DeviationsRow(StrictModel):
    """``deviations``, word for word."""

    first_course_on: Days
    premedication: _PremedicationRow
    charted_within: Duration

    def model_post_init(self, _context: object, /) -> None:
        """Refuse days that are the wrong way round.

        Raises:
            ValueError: The last day comes before the first.
        """
        first, last = self.first_course_on
        if last < first:
            raise ValueError(f"first_course_on: day {last} comes before day {first}")

    def value(self) -> Deviations:
        """The deviations that are told."""
        return Deviations(
            self.first_course_on, Premedication(**dict(self.premedication)), self.charted_within
        )
