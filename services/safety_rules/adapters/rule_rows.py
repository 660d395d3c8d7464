"""One stopping rule as its file writes it, and the value that it becomes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from services.runtime.file_models import Duration, StrictModel
from services.safety_rules.adapters.stop_rows import (
    ExampleRows,
    PersonTimeRow,
    StopWhenRow,
    TimeRow,
)
from services.safety_rules.domain.stopping.policies import (
    NAIVE,
    PERSON_TIME,
    PERSON_TIME_METHODS,
    POLICIES,
)
from services.vocabulary.protocol import (
    AnchorName,
    Consequence,
    Curve,
    Policy,
    Rule,
    TimeUnit,
    Window,
    WindowEdge,
)
from services.vocabulary.protocol_event import EventPattern


def _parse_number(value: object) -> object:
    """Return a number with the digits that are written, without a detour through binary.

    >>> _parse_number(0.1)
    Decimal('0.1')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")  # noqa: TRY004 (pydantic's)
    return Decimal(str(value))


Number = Annotated[Decimal, BeforeValidator(_parse_number), Field(gt=0, lt=1000)]


def _expand_edge(written: object) -> object:
    """Let ``first_infusion`` stand for ``{anchor: first_infusion}``."""
    return {"anchor": written} if isinstance(written, str) else written


class EdgeRow(StrictModel):
    """One end of a window."""

    anchor: AnchorName
    day: int | None = Field(None, ge=-3650, le=3650)


class WindowRow(StrictModel):
    """From one edge to another."""

    start: Annotated[EdgeRow, BeforeValidator(_expand_edge)] = Field(alias="from")
    end: Annotated[EdgeRow, BeforeValidator(_expand_edge)] = Field(alias="to")

    def value(self) -> Window:
        """The window."""
        return Window(
            WindowEdge(self.start.anchor, self.start.day), WindowEdge(self.end.anchor, self.end.day)
        )


class _PatternRow(StrictModel):
    scale: str = ""
    term: str = ""
    term_set: str = ""
    fact: Literal["nrm", "relapse", "death", ""] = ""
    grade_at_least: int | None = Field(None, ge=1, le=5)
    counts_outside_inducer_window: bool | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse two kinds of event in one, and a grade or a window where there is none.

        Raises:
            ValueError: Not exactly one of the four is given, or a field does not fit it.
        """
        if sum(map(bool, (self.scale, self.term, self.term_set, self.fact))) != 1:
            raise ValueError("exactly one of scale, term, term_set and fact says what counts")
        if bool(self.fact) is (self.grade_at_least is not None):
            raise ValueError("grade_at_least goes with a scale, a term or a term_set, not a fact")
        if self.counts_outside_inducer_window is not None and not self.scale:
            raise ValueError("counts_outside_inducer_window goes with a scale")

    def value(self) -> EventPattern:
        """The pattern."""
        return EventPattern(
            self.scale,
            self.term,
            self.term_set,
            self.fact,
            self.grade_at_least or 1,
            self.counts_outside_inducer_window,
        )


class _EventRow(StrictModel):
    any_of: tuple[_PatternRow, ...] = Field(min_length=1)


class _Exponential(StrictModel):
    mean_days: float


class _Weibull(StrictModel):
    scale_days: float
    shape: float


_Points = tuple[tuple[float, float], ...]


class _CurveRow(StrictModel):
    uniform: Literal[True] | None = None
    exponential: _Exponential | None = None
    weibull: _Weibull | None = None
    table: _Points | None = None
    hazard: _Points | None = None
    risk: _Points | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse no curve, or two.

        Raises:
            ValueError: Not exactly one curve is given.
        """
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one of uniform, exponential, weibull, table, hazard and risk")

    def value(self) -> Curve:
        """The curve."""
        if self.exponential:
            return Curve("exponential", mean_days=self.exponential.mean_days)
        if self.weibull:
            scale, shape = self.weibull.scale_days, self.weibull.shape
            return Curve("weibull", scale_days=scale, weibull_shape=shape)
        if self.table is not None:
            return Curve("table", points=self.table)
        if self.hazard is not None:
            return Curve("hazard", points=self.hazard)
        if self.risk is not None:
            return Curve("risk", points=self.risk)
        return Curve("uniform")


def _expand_curve(written: object) -> object:
    return {"uniform": True} if written == "uniform" else written


def _check_policy(written: object) -> object:
    if not isinstance(written, str) or written not in (*POLICIES, PERSON_TIME):
        one_of = ", ".join((*POLICIES, PERSON_TIME))
        raise ValueError(NAIVE if written == "naive" else f"{written!r} is not one of: {one_of}")
    return written


class _PendingRow(StrictModel):
    policy: Annotated[Policy, BeforeValidator(_check_policy)]
    curve: Annotated[_CurveRow, BeforeValidator(_expand_curve)]
    source: str = Field(min_length=1)


class _ThenRow(StrictModel):
    recommend: Literal["pause_enrolment", "pause_treatment", "review"]
    tell: tuple[str, ...]
    acknowledge_within: Duration
    otherwise: Literal["escalate"] = "escalate"


_LOOKS_AT_ALL = ("every_participant", "every_event")


def _expand_looks(written: object) -> object:
    return () if written in _LOOKS_AT_ALL else written


class RuleRow(StrictModel):
    """One rule, word for word."""

    id: str = Field(pattern=r"^[A-Z][A-Z0-9-]*\.[A-Z0-9]+$")
    title: str = Field(min_length=1)
    why: str = Field(min_length=1)
    in_words: str = ""
    count: Literal["participants"]
    event: _EventRow
    status: Literal["not_rejected", "confirmed"]
    if_a_grade_is_incomplete: Literal["lowest", "highest"]
    out_of: Literal["infused", "enrolled", "transplanted"]
    window: WindowRow
    event_date: Literal["grade_reached", "onset"]
    competing: tuple[Literal["death", "relapse", "second_transplant"], ...]
    pending: _PendingRow
    looks: Annotated[tuple[int | float, ...], BeforeValidator(_expand_looks)]
    stop_when: StopWhenRow
    warn_at: float = Field(gt=0, le=1)
    then: _ThenRow
    worked_examples: ExampleRows = Field(min_length=2)
    watch_only: bool = False
    assumed: tuple[str, ...] = ()

    def model_post_init(self, _context: object, /) -> None:
        """Refuse parts of which some count participants and some person-time.

        Raises:
            ValueError: A policy, method, look, boundary or example does not fit the others.
        """
        is_of_time = isinstance(self.stop_when, PersonTimeRow)
        if is_of_time is not (self.pending.policy == PERSON_TIME):
            raise ValueError(
                f"pending.policy {PERSON_TIME} goes with a method of person-time, and only that: "
                + ", ".join(PERSON_TIME_METHODS)
            )
        if not is_of_time and not all(isinstance(look, int) for look in self.looks):
            raise ValueError("looks must be whole numbers of participants")
        rows = [*(self.stop_when.boundary if is_of_time else ()), *self.worked_examples]
        if any(isinstance(row, TimeRow) is not is_of_time for row in rows):
            raise ValueError("worked_examples and method must both be of person-time, or not")
        if any(isinstance(row, TimeRow) and row.unit != self._unit for row in rows):
            raise ValueError(
                f"stop_when.boundary and worked_examples must be in {self._unit}, as "
                "pending.curve is" + ("" if self._unit == "person_days" else " not") + " uniform"
            )

    @property
    def _unit(self) -> TimeUnit:
        return "person_days" if self.pending.curve.uniform else "expected_events"

    def value(self) -> Rule:
        """The rule."""
        looks: tuple[int, ...] = ()
        if isinstance(self.stop_when, PersonTimeRow):
            stop_when = self.stop_when.value(self._unit, tuple(map(float, self.looks)))
        else:
            looks, stop_when = tuple(map(int, self.looks)), self.stop_when.value()
        return Rule(
            id=self.id,
            title=self.title,
            why=self.why,
            any_of=tuple(row.value() for row in self.event.any_of),
            status=self.status,
            if_a_grade_is_incomplete=self.if_a_grade_is_incomplete,
            out_of=self.out_of,
            window=self.window.value(),
            event_date=self.event_date,
            competing=self.competing,
            policy=self.pending.policy,
            curve=self.pending.curve.value(),
            looks=looks,
            stop_when=stop_when,
            warn_at=self.warn_at,
            consequence=Consequence(**dict(self.then)),
            worked_examples=tuple(row.value() for row in self.worked_examples),
            watch_only=self.watch_only,
            assumed_numbers=self.assumed,
            in_words=self.in_words,
        )
