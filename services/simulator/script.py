"""The script of each participant: the course that is drawn before any message is written.

The answer key is read from the scripts, never from results of the rules.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, takewhile

from services.simulator.chemistry import GradeSpan

DRAW_INTERVAL = timedelta(days=1)
VITALS_INTERVAL = timedelta(hours=4)
SETS_PER_ASSESSMENT = 3  # every third set of vital signs
INFUSION_DURATION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SimulatedSite:
    """A simulated site with its spelling of codes and units."""

    id: str
    timezone: str
    application: str
    facility: str
    authority: str
    system: str
    spelling: Mapping[str, str]
    local_codes: bool = False


@dataclass(frozen=True, slots=True)
class LabEvent:
    """An adverse event seen in a laboratory: grades at successive draws from *first* on.

    *goes_on* is true when the participant's feed ends before it does.
    """

    slug: str
    measure: str
    first: int
    values: tuple[str, ...]
    spans: tuple[GradeSpan, ...]
    baseline_grade: int = 0
    goes_on: bool = False
    before_exposure: bool = False
    without_unit: int | None = None  # place in *values* of the one that is sent without its unit
    without_limits: frozenset[int] = frozenset()

    @property
    def worst(self) -> GradeSpan:
        """The worst grade at each end."""
        return max(low for low, _ in self.spans), max(high for _, high in self.spans)


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """One set of vital signs."""

    temperature: str = "36.8"
    sbp: int = 118
    spo2: int = 97
    device: str = "room-air"
    flow: int | None = None
    fever_grade: int = 0


@dataclass(frozen=True, slots=True)
class PlannedDrug:
    """A drug given *delay* after the set *vitals* of vital signs; *word* is the note in RXA-9."""

    vitals: int
    delay: timedelta
    name: str
    amount: str
    unit: str
    word: str = ""
    route: str = "IV"


@dataclass(frozen=True, slots=True)
class CrsEvent:
    """A course of cytokine release syndrome: signs from *first* on, and the drugs given."""

    first: int
    signs: tuple[VitalSigns, ...]
    drugs: tuple[PlannedDrug, ...]
    grade: int
    in_icu: tuple[int, int] | None = None  # vital signs at arrival and at return

    @property
    def end(self) -> int:
        """The first set of vital signs without any sign of it."""
        return self.first + len(self.signs)


@dataclass(frozen=True, slots=True)
class NeuroAssessment:
    """One neurological assessment."""

    ice: int = 10
    arousal: str = "spontaneous"
    seizure: str = "none"


@dataclass(frozen=True, slots=True)
class IcansEvent:
    """A course of ICANS: assessments from *first* on."""

    first: int
    assessments: tuple[NeuroAssessment, ...]
    grade: int


@dataclass(frozen=True, slots=True)
class Infection:
    """Fever with a positive culture and antibiotics, outside every inducer window."""

    first: int
    signs: tuple[VitalSigns, ...]
    organism: str


@dataclass(frozen=True, slots=True)
class Person:
    """A participant's whole course.

    Args:
        name: Pseudonym.
        second_name: Pseudonym of a second, mistaken registration; empty without one.
        site: The site.
        mrn: Identifier at the site.
        second_mrn: The second one.
        sex: Of the registration.
        birth_year: The same.
        weight_kg: The same.
        donor: Of the transplant.
        transplant_at: Day 0.
        infusion_at: First dose; None: never infused.
        last_at: End of the feed.
        labs: Adverse events seen in laboratories.
        crs: A course of CRS; None.
        icans: A course of ICANS; None.
        infection: An infection; None.
        died_at: None while alive.
        relapsed_at: None without relapse.
        quirks: Names of the errors in this participant's feed.
    """

    name: str
    second_name: str
    site: SimulatedSite
    mrn: str
    second_mrn: str
    sex: str
    birth_year: int
    weight_kg: str
    donor: str
    transplant_at: datetime
    infusion_at: datetime
    last_at: datetime
    labs: tuple[LabEvent, ...] = ()
    crs: CrsEvent | None = None
    icans: IcansEvent | None = None
    infection: Infection | None = None
    died_at: datetime | None = None
    relapsed_at: datetime | None = None
    quirks: frozenset[str] = frozenset()

    def draw_at(self, number: int) -> datetime:
        """Return the time of a blood draw; draw 0 is three hours before the first dose."""
        return self.infusion_at - timedelta(hours=3) + number * DRAW_INTERVAL

    def vitals_at(self, number: int) -> datetime:
        """Return the time of a set of vital signs; set 0 is one hour after the first dose began."""
        return self.infusion_at + timedelta(hours=1) + number * VITALS_INTERVAL

    def neuro_at(self, number: int) -> datetime:
        """Return the time of a neurological assessment."""
        return self.vitals_at(number * SETS_PER_ASSESSMENT)

    @property
    def draws(self) -> Sequence[int]:
        """The numbers of all draws: two before the first dose, then daily."""
        return self._list_numbers(-2, self.draw_at)

    @property
    def vitals(self) -> Sequence[int]:
        """The numbers of all sets of vital signs."""
        return self._list_numbers(-9, self.vitals_at)

    def _list_numbers(self, first: int, time_of: Callable[[int], datetime]) -> Sequence[int]:
        return list(takewhile(lambda number: time_of(number) <= self.last_at, count(first)))
