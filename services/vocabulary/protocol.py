"""A study's protocol as data: windows, bedside limits, stopping rules, recipients of alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from services.vocabulary.dosing import Deviations, Dosing, HysLaw
from services.vocabulary.operations import CLOCK_PERIODS, ClockKind
from services.vocabulary.protocol_event import EventPattern

AnchorName = Literal["transplant", "enrolment", "first_infusion", "each_course"]


@dataclass(frozen=True, slots=True)
class WindowEdge:
    """One end of a window: the instant of *anchor*, or the calendar day *day* after it.

    ``day`` counts in the site's calendar with the anchor's date as day 0; as the end of a window
    the whole day is inside. None: the instant of the anchor itself.
    """

    anchor: AnchorName
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A period from one edge to another, both included."""

    start: WindowEdge
    end: WindowEdge


@dataclass(frozen=True, slots=True)
class Curve:
    """The onset curve F(t): the share of events within t days after exposure.

    In person-time, the hazards that are expected: ``uniform`` is constant, ``hazard`` one for each
    part of the follow-up, ``risk`` a cumulative risk.
    """

    shape: Literal["uniform", "exponential", "weibull", "table", "hazard", "risk"]
    mean_days: float = 0.0  # exponential
    scale_days: float = 0.0  # weibull
    weibull_shape: float = 0.0
    # table: (day, F); hazard: (day, events per day up to it); risk: (day, risk by then)
    points: tuple[tuple[float, float], ...] = ()


Policy = Literal["onset_weighted", "complete", "linear", "everyone_treated", "person_time"]
TimeUnit = Literal["person_days", "expected_events"]


@dataclass(frozen=True, slots=True)
class BoundaryStep:
    """A step of a boundary: *events* or more stop among *first* to *last* evaluable, inclusive."""

    events: int
    first: int
    last: int


def spell_time(unit: TimeUnit, time: float) -> str:
    """Return a person-time as people read it.

    >>> spell_time("person_days", 104.827), spell_time("expected_events", 1.0)
    ('104.827 person-days', '1 expected events')
    """
    return f"{time:.6g} {'person-days' if unit == 'person_days' else 'expected events'}"


@dataclass(frozen=True, slots=True)
class TimeStep:
    """A step of a boundary in person-time: *events* or more stop up to *end*, inclusive."""

    events: int
    end: float


@dataclass(frozen=True, slots=True)
class PersonTimeBoundary:
    """The signed boundary of a rule that counts events against person-time, and its plan.

    Args:
        unit: Of every time here: days of follow-up, summed over participants, or the events that
            the rule's curve of hazards expects of that follow-up.
        window_days: Days of follow-up within which p0 is the acceptable risk.
        planned: Person-time at which the plan ends.
        steps: By events, rising.
        looks: Person-time of each comparison; empty: at every event.
        min_events: Fewer never stop.
        delayed_start: Person-time before which nothing is compared.
    """

    unit: TimeUnit
    window_days: float
    planned: float
    steps: tuple[TimeStep, ...]
    looks: tuple[float, ...] = ()
    min_events: int = 1
    delayed_start: float = 0.0


@dataclass(frozen=True, slots=True)
class StopWhen:
    """The signed boundary and the design that it comes from.

    *boundary* is contiguous up to *n*; *parameters* are those of the method's family (see
    `safety_rules.domain.stopping.families`), e.g. ``prior``. A rule of person-time has
    *person_time* instead, and an empty *boundary*.
    """

    method: str
    p0: float
    alpha: float
    n: int
    boundary: tuple[BoundaryStep, ...]
    parameters: Mapping[str, tuple[float, ...]]
    person_time: PersonTimeBoundary | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """The recommendation of a rule that is met, and its recipients."""

    recommend: str
    tell: tuple[str, ...]
    acknowledge_within: timedelta
    otherwise: Literal["escalate"] = "escalate"


@dataclass(frozen=True, slots=True)
class WorkedExample:
    """An example: with *events* among *of* evaluable the rule says *answer*.

    A rule of person-time says so at *person_time*, in its unit; *of* is 0.
    """

    events: int
    of: int
    answer: Literal["stop", "continue"]
    person_time: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One stopping rule as a clinician reads it; *watch_only* never alerts the DSMB."""

    id: str
    title: str
    why: str
    any_of: tuple[EventPattern, ...]
    status: Literal["not_rejected", "confirmed"]
    if_a_grade_is_incomplete: Literal["lowest", "highest"]
    out_of: Literal["infused", "enrolled", "transplanted"]
    window: Window
    event_date: Literal["grade_reached", "onset"]
    competing: tuple[str, ...]
    policy: Policy
    curve: Curve
    looks: tuple[int, ...]  # empty: after every participant
    stop_when: StopWhen
    warn_at: float
    consequence: Consequence
    worked_examples: tuple[WorkedExample, ...]
    watch_only: bool = False
    assumed_numbers: tuple[str, ...] = ()  # numbers that the protocol does not give
    in_words: str = ""  # the event and period that it counts, as people read it


@dataclass(frozen=True, slots=True)
class TermSet:
    """All terms less *without_socs* and *without_terms* (slugs); or, when given, *only*."""

    without_socs: tuple[str, ...] = ()
    without_terms: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaboratoryCounting:
    """The conditions under which an unconfirmed laboratory grade counts for a rule."""

    grade3_after: timedelta
    only_confirmed_after_steroid: tuple[str, ...] = ()  # slugs, e.g. hyperglycemia
    steroid_within: timedelta = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Inducer:
    """A possible cause of CRS or ICANS: *drug*, until *after_stop* past its stop, or the graft."""

    drug: str = ""
    after_stop: timedelta = timedelta(hours=72)
    graft_days: tuple[int, int] | None = None  # transplant days, both inside
    donors: tuple[str, ...] = ()  # kinds of donor of a graft that counts


@dataclass(frozen=True, slots=True)
class Bedside:
    """The thresholds of bedside readings, and the time for which each stays valid."""

    fever_c: Decimal
    sbp_below: Decimal  # mm[Hg]
    sbp_drop: Decimal  # mm[Hg] below baseline
    vitals_stay: timedelta
    ice_stays: timedelta
    crs_free: timedelta  # a run without fever, hypotension and hypoxia this long resolves
    reopens_within: timedelta
    antipyretic_masks: timedelta
    antipyretics: tuple[str, ...]
    steroids: tuple[str, ...]
    anticytokines: tuple[str, ...]
    vasopressors: tuple[str, ...]  # that count towards "multiple"
    vasopressors_not_counted: tuple[str, ...]  # vasopressin
    antibiotics: tuple[str, ...] = ()
    pressor_overlap: timedelta = timedelta(hours=1)  # from which two vasopressors are two
    support_stays: timedelta = timedelta(hours=72)  # since it was last charted
    baseline_period: timedelta = timedelta(days=7)  # before exposure: shows what is usual


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The participant-level changes that raise alerts, their recipients and time limits.

    *acknowledge_from_link*: the link of a notice acknowledges by itself, or asks for sign-in.
    """

    participant_grade: int
    tell: tuple[str, ...]
    tell_death: tuple[str, ...]
    acknowledge_within: timedelta
    escalate_to: tuple[str, ...]
    acknowledge_from_link: Literal["directly", "signed_in"] = "directly"


@dataclass(frozen=True, slots=True)
class EndpointPlan:
    """The days, terms and window of the trial's endpoints.

    Args:
        landmarks: Days of the clock at which each curve is read, increasing.
        term_set: Of the adverse events that are counted, a name in the protocol's term sets.
        window: In which they are counted, a name in the protocol's windows.
    """

    landmarks: tuple[int, ...]
    term_set: str
    window: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """The protocol of one study, as far as the rules read it.

    Args:
        study: Id, e.g. ``BLINA-HSCT``.
        version: Of the protocol file.
        title: One line.
        criteria: The pinned table, e.g. ``ctcae-5.0``.
        study_drug: First start of it is the baseline anchor and the first infusion.
        windows: Named windows that records are marked with.
        merge_gap: Longest silence between two readings of one laboratory run.
        course_gap: Longest pause of the study drug inside one course.
        endpoints: None: the trial has none that are followed here.
        dosing: What grades ask of the study drug; None: the protocol does not say.
        hys_law: When liver injury by a drug is suspected; None: as above.
        deviations: Which departures from the protocol are told; None: as above.
        clock_periods: How long each clock of a serious adverse event runs.
        two_readers: True when a record is decided once two persons say the same of it.
        sha256: Of the file.
        signed_by: ``Name, role, date`` of each signature over that hash; empty: a draft.
    """

    study: str
    version: str
    title: str
    criteria: str
    study_drug: str
    windows: Mapping[str, Window]
    merge_gap: timedelta
    inducers: tuple[Inducer, ...]
    bedside: Bedside
    term_sets: Mapping[str, TermSet]
    laboratory: LaboratoryCounting
    alerts: AlertPolicy
    rules: tuple[Rule, ...]
    timezones: Mapping[str, str]  # site -> IANA name
    course_gap: timedelta = timedelta(days=14)
    dosing: Dosing | None = None
    hys_law: HysLaw | None = None
    deviations: Deviations | None = None
    clock_periods: Mapping[ClockKind, timedelta] = field(default_factory=lambda: CLOCK_PERIODS)
    two_readers: bool = False
    endpoints: EndpointPlan | None = None
    sha256: str = ""
    signed_by: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """``protocol v1 DRAFT, signed by nobody``, or who signed it."""
        return write_label(self.version, self.signed_by)


def write_label(version: str, signed_by: Sequence[str]) -> str:
    """Return the words by which people know a version of a protocol, and who signed it.

    >>> write_label("1", ()), write_label("2", ["A. Lee, chair, 2026-03-01"])
    ('protocol v1 DRAFT, signed by nobody', 'protocol v2 signed by A. Lee, chair, 2026-03-01')
    """
    signatures = f"signed by {'; '.join(signed_by)}" if signed_by else "DRAFT, signed by nobody"
    return f"protocol v{version} {signatures}"
