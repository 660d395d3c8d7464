"""One stopping rule as its file writes it, and the value that it becomes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from services.runtime.file_models import Duration, StrictModel
from services.safety_rules.domain.stopping.pending import NAIVE, POLICIES
from services.vocabulary.protocol import (
    AnchorName,
    BoundaryStep,
    Consequence,
    Curve,
    Policy,
    Rule,
    StopWhen,
    Window,
    WindowEdge,
    WorkedExample,
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


class _CurveRow(StrictModel):
    uniform: Literal[True] | None = None
    exponential: _Exponential | None = None
    weibull: _Weibull | None = None
    table: tuple[tuple[float, float], ...] | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse no curve, or two.

        Raises:
            ValueError: Not exactly one curve is given.
        """
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one of uniform, exponential, weibull and table")

    def value(self) -> Curve:
        """The curve."""
        if self.exponential:
            return Curve("exponential", mean_days=self.exponential.mean_days)
        if self.weibull:
            scale, shape = self.weibull.scale_days, self.weibull.shape
            return Curve("weibull", scale_days=scale, weibull_shape=shape)
        if self.table is not None:
            return Curve("table", points=self.table)
        return Curve("uniform")


def _expand_curve(written: object) -> object:
    return {"uniform": True} if written == "uniform" else written


def _check_policy(written: object) -> object:
    if not isinstance(written, str) or written not in POLICIES:
        one_of = ", ".join(POLICIES)
        raise ValueError(NAIVE if written == "naive" else f"{written!r} is not one of: {one_of}")
    return written


class _PendingRow(StrictModel):
    policy: Annotated[Policy, BeforeValidator(_check_policy)]
    curve: Annotated[_CurveRow, BeforeValidator(_expand_curve)]
    source: str = Field(min_length=1)


class _StepRow(StrictModel):
    events: int
    of: tuple[int, int]


def _list_numbers(written: object) -> object:
    """Let one number stand for a list of one."""
    return (written,) if isinstance(written, int | float) else written


_Numbers = Annotated[tuple[float, ...] | None, BeforeValidator(_list_numbers)]
_PARAMETERS = ("prior", "p1", "nu", "delta", "theta", "limit", "strictly")


class _StopRow(StrictModel):
    method: str
    p0: float = Field(gt=0, lt=1)
    alpha: float = Field(gt=0, lt=1)
    n: int = Field(ge=1, le=1000)
    boundary: tuple[_StepRow, ...]
    source: str = Field(min_length=1)
    prior: _Numbers = None
    p1: _Numbers = None
    nu: _Numbers = None
    delta: _Numbers = None
    theta: _Numbers = None
    limit: _Numbers = None
    strictly: _Numbers = None

    def value(self) -> StopWhen:
        """The boundary with its design."""
        given = {name: getattr(self, name) for name in _PARAMETERS}
        return StopWhen(
            method=self.method,
            p0=self.p0,
            alpha=self.alpha,
            n=self.n,
            boundary=tuple(BoundaryStep(row.events, *row.of) for row in self.boundary),
            parameters={name: numbers for name, numbers in given.items() if numbers is not None},
        )


class _ThenRow(StrictModel):
    recommend: Literal["pause_enrolment", "pause_treatment", "review"]
    tell: tuple[str, ...]
    acknowledge_within: Duration
    otherwise: Literal["escalate"] = "escalate"


class _ExampleRow(StrictModel):
    events: int = Field(ge=0)
    of: int = Field(ge=1)
    answer: Literal["stop", "continue"]


def _expand_looks(written: object) -> object:
    return () if written == "every_participant" else written


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
    looks: Annotated[tuple[int, ...], BeforeValidator(_expand_looks)]
    stop_when: _StopRow
    warn_at: float = Field(gt=0, le=1)
    then: _ThenRow
    worked_examples: tuple[_ExampleRow, ...] = Field(min_length=2)
    watch_only: bool = False
    assumed: tuple[str, ...] = ()

    def value(self) -> Rule:
        """The rule."""
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
            looks=self.looks,
            stop_when=self.stop_when.value(),
            warn_at=self.warn_at,
            consequence=Consequence(**dict(self.then)),
            worked_examples=tuple(WorkedExample(**dict(row)) for row in self.worked_examples),
            watch_only=self.watch_only,
            assumed_numbers=self.assumed,
            in_words=self.in_words,
        )
