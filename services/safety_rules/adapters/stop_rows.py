"""The boundary of a rule as its file writes it, of participants or of person-time."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from services.runtime.file_models import StrictModel
from services.safety_rules.domain.stopping.policies import PERSON_TIME_METHODS
from services.vocabulary.protocol import (
    BoundaryStep,
    PersonTimeBoundary,
    StopWhen,
    TimeStep,
    TimeUnit,
    WorkedExample,
)


class StepRow(StrictModel):
    """Events that stop among so many participants."""

    events: int
    of: tuple[int, int]


class TimeRow(StrictModel):
    """Events at a person-time, in one of both units."""

    events: int = Field(ge=0)
    person_days: float | None = None
    expected_events: float | None = None

    def model_post_init(self, _context: object, /) -> None:
        """Refuse no time, or two.

        Raises:
            ValueError: Not exactly one of both is given.
        """
        if (self.person_days is None) is (self.expected_events is None):
            raise ValueError("exactly one of person_days and expected_events")

    @property
    def time(self) -> float:
        """The person-time."""
        return self.expected_events or 0.0 if self.person_days is None else self.person_days

    @property
    def unit(self) -> TimeUnit:
        """The unit that it is written in."""
        return "expected_events" if self.person_days is None else "person_days"


def _list_numbers(written: object) -> object:
    """Let one number stand for a list of one."""
    return (written,) if isinstance(written, int | float) else written


_Numbers = Annotated[tuple[float, ...] | None, BeforeValidator(_list_numbers)]
_PARAMETERS = ("prior", "p1", "nu", "delta", "theta", "limit", "strictly")
_TIME_PARAMETERS = ("prior", "p1", "delta")


class StopRow(StrictModel):
    """The boundary of a rule that counts participants, with its design."""

    method: str
    p0: float = Field(gt=0, lt=1)
    alpha: float = Field(gt=0, lt=1)
    n: int = Field(ge=1, le=1000)
    boundary: tuple[StepRow, ...]
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
        numbers_by_name = {name: getattr(self, name) for name in _PARAMETERS}
        return StopWhen(
            method=self.method,
            p0=self.p0,
            alpha=self.alpha,
            n=self.n,
            boundary=tuple(BoundaryStep(row.events, *row.of) for row in self.boundary),
            parameters={
                name: numbers for name, numbers in numbers_by_name.items() if numbers is not None
            },
        )


class PersonTimeRow(StrictModel):
    """The boundary of a rule of person-time, with its design."""

    method: str
    p0: float = Field(gt=0, lt=1)
    window_days: float = Field(gt=0, le=3650)
    alpha: float = Field(gt=0, lt=1)
    n: int = Field(ge=1, le=1000)
    planned: float = Field(gt=0)
    min_events: int = Field(1, ge=1)
    delayed_start: float = Field(0.0, ge=0)
    boundary: tuple[TimeRow, ...]
    source: str = Field(min_length=1)
    prior: _Numbers = None
    p1: _Numbers = None
    delta: _Numbers = None

    def value(self, unit: TimeUnit, looks: tuple[float, ...]) -> StopWhen:
        """The boundary with its design, in *unit*, compared at *looks*."""
        numbers_by_name = {name: getattr(self, name) for name in _TIME_PARAMETERS}
        return StopWhen(
            method=self.method,
            p0=self.p0,
            alpha=self.alpha,
            n=self.n,
            boundary=(),
            parameters={
                name: numbers for name, numbers in numbers_by_name.items() if numbers is not None
            },
            person_time=PersonTimeBoundary(
                unit=unit,
                window_days=self.window_days,
                planned=self.planned,
                steps=tuple(TimeStep(row.events, row.time) for row in self.boundary),
                looks=looks,
                min_events=self.min_events,
                delayed_start=self.delayed_start,
            ),
        )


def _choose_stop_row(written: object) -> str:
    """Return the tag of the row that *written* is, by its method."""
    method = written.get("method") if isinstance(written, dict) else None
    return "person_time" if method in PERSON_TIME_METHODS else "participants"


class ExampleRow(StrictModel):
    """An example of participants."""

    events: int = Field(ge=0)
    of: int = Field(ge=1)
    answer: Literal["stop", "continue"]

    def value(self) -> WorkedExample:
        """The example."""
        return WorkedExample(self.events, self.of, self.answer)


def _choose_example(written: object) -> str:
    """Return the tag of the row that *written* is, by its key."""
    is_of_time = isinstance(written, dict) and {"person_days", "expected_events"} & written.keys()
    return "person_time" if is_of_time else "participants"


class TimeExampleRow(TimeRow):
    """An example of person-time."""

    answer: Literal["stop", "continue"]

    def value(self) -> WorkedExample:
        """The example."""
        return WorkedExample(self.events, 0, self.answer, self.time)


StopWhenRow = Annotated[
    Annotated[StopRow, Tag("participants")] | Annotated[PersonTimeRow, Tag("person_time")],
    Discriminator(_choose_stop_row),
]
ExampleRows = tuple[
    Annotated[
        Annotated[ExampleRow, Tag("participants")] | Annotated[TimeExampleRow, Tag("person_time")],
        Discriminator(_choose_example),
    ],
    ...,
]
