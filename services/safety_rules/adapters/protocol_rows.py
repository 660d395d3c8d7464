"""A study's protocol as its file writes it, and the value that it becomes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.runtime.file_models import Duration, StrictModel
from services.safety_rules.adapters.dosing_rows import DeviationsRow, DosingRow, HysLawRow
from services.safety_rules.adapters.rule_rows import Number, RuleRow, WindowRow
from services.vocabulary.dosing import Dosing
from services.vocabulary.operations import CLOCK_PERIODS, ClockKind
from services.vocabulary.protocol import (
    AlertPolicy,
    Bedside,
    EndpointPlan,
    Inducer,
    LaboratoryCounting,
    Protocol,
    TermSet,
)

Names = tuple[str, ...]


class _InducerRow(StrictModel):
    drug: str = ""
    after_stop: Duration | None = None
    graft_days: tuple[int, int] | None = None
    donors: Names = ()

    def model_post_init(self, _context: object, /) -> None:
        """Refuse what is neither a drug nor a graft.

        Raises:
            ValueError: Neither a drug with a time after it, nor days of a graft, or both.
        """
        if (bool(self.drug), self.graft_days is None) not in {(True, True), (False, False)}:
            raise ValueError("is either a drug, or the graft on certain days")
        if bool(self.drug) is (self.after_stop is None):
            raise ValueError("after_stop goes with a drug")

    def value(self) -> Inducer:
        """The inducer."""
        if self.after_stop is not None:
            return Inducer(self.drug, self.after_stop)
        return Inducer(graft_days=self.graft_days, donors=self.donors)


class _BedsideRow(StrictModel):
    fever_c: Number
    sbp_below: Number
    sbp_drop: Number
    vitals_stay: Duration
    ice_stays: Duration
    crs_free: Duration
    reopens_within: Duration
    antipyretic_masks: Duration
    antipyretics: Names
    steroids: Names
    anticytokines: Names
    vasopressors: Names
    vasopressors_not_counted: Names
    antibiotics: Names = ()
    pressor_overlap: Duration = timedelta(hours=1)
    support_stays: Duration = timedelta(hours=72)
    baseline_period: Duration = timedelta(days=7)


class _TermSetRow(StrictModel):
    without_socs: Names = ()
    without_terms: Names = ()
    only: Names = ()

    def model_post_init(self, _context: object, /) -> None:
        """Refuse a set that is said in both ways, or in none.

        Raises:
            ValueError: Not exactly one of ``only`` and the two exclusions is given.
        """
        if bool(self.only) is bool(self.without_socs or self.without_terms):
            raise ValueError("is either only certain terms, or all without some")


class _LaboratoryRow(StrictModel):
    grade3_after: Duration
    only_confirmed_after_steroid: Names = ()
    steroid_within: Duration


class _AlertsRow(StrictModel):
    participant_grade: int = Field(ge=1, le=5)
    tell: Names
    tell_death: Names
    acknowledge_within: Duration
    escalate_to: Names
    acknowledge_from_link: Literal["directly", "signed_in"] = "directly"


class _AdverseEventsRow(StrictModel):
    term_set: str
    window: str


class _EndpointsRow(StrictModel):
    landmarks: tuple[Annotated[int, Field(ge=1, le=3650)], ...] = Field(min_length=1)
    adverse_events: _AdverseEventsRow

    def model_post_init(self, _context: object, /) -> None:
        """Refuse landmarks that are out of order.

        Raises:
            ValueError: They do not increase.
        """
        if list(self.landmarks) != sorted(set(self.landmarks)):
            raise ValueError("landmarks must increase")

    def value(self) -> EndpointPlan:
        """The plan."""
        return EndpointPlan(
            self.landmarks, self.adverse_events.term_set, self.adverse_events.window
        )


def _require_time(period: timedelta) -> timedelta:
    """Return *period*, in which a person can report.

    Raises:
        ValueError: It is none.
    """
    if not period:
        raise ValueError("is no time to report in")
    return period


_ReportingPeriod = Annotated[Duration, AfterValidator(_require_time)]


class _ClocksRow(StrictModel):
    to_sponsor: _ReportingPeriod = CLOCK_PERIODS[ClockKind.ONE_DAY]
    fatal_or_life_threatening: _ReportingPeriod = CLOCK_PERIODS[ClockKind.SEVEN_DAYS]
    serious: _ReportingPeriod = CLOCK_PERIODS[ClockKind.FIFTEEN_DAYS]

    def value(self) -> Mapping[ClockKind, timedelta]:
        """The period of each clock."""
        return {
            ClockKind.ONE_DAY: self.to_sponsor,
            ClockKind.SEVEN_DAYS: self.fatal_or_life_threatening,
            ClockKind.FIFTEEN_DAYS: self.serious,
        }


class _AdjudicationRow(StrictModel):
    two_readers: bool = False


class ProtocolFile(StrictModel):
    """``protocol.yaml``, word for word."""

    study: str = Field(pattern=r"^[A-Z][A-Z0-9-]*$")
    version: str = Field(min_length=1)
    title: str = Field(min_length=1)
    criteria: str = Field(pattern=r"^ctcae-\d\.0$")
    study_drug: str = Field(min_length=1)
    course_gap: Duration
    merge_gap: Duration
    windows: Mapping[str, WindowRow]
    inducers: tuple[_InducerRow, ...]
    bedside: _BedsideRow
    term_sets: Mapping[str, _TermSetRow]
    laboratory: _LaboratoryRow
    alerts: _AlertsRow
    endpoints: _EndpointsRow | None = None
    dosing: DosingRow | None = None
    hys_law: HysLawRow | None = None
    deviations: DeviationsRow | None = None
    clocks: _ClocksRow = _ClocksRow()
    adjudication: _AdjudicationRow = _AdjudicationRow()
    rules: tuple[RuleRow, ...] = Field(min_length=1)
    assumed: Names = ()

    def value(
        self, timezones: Mapping[str, str], sha256: str, signed_by: tuple[str, ...]
    ) -> Protocol:
        """The protocol; *sha256* is that of the file."""
        return Protocol(
            study=self.study,
            version=self.version,
            title=self.title,
            criteria=self.criteria,
            study_drug=self.study_drug,
            windows={name: row.value() for name, row in self.windows.items()},
            merge_gap=self.merge_gap,
            inducers=tuple(row.value() for row in self.inducers),
            bedside=Bedside(**dict(self.bedside)),
            term_sets={name: TermSet(**dict(row)) for name, row in self.term_sets.items()},
            laboratory=LaboratoryCounting(**dict(self.laboratory)),
            alerts=AlertPolicy(**dict(self.alerts)),
            rules=tuple(row.value() for row in self.rules),
            timezones=timezones,
            course_gap=self.course_gap,
            endpoints=self.endpoints.value() if self.endpoints else None,
            dosing=self._dosing(),
            hys_law=self.hys_law.value() if self.hys_law else None,
            deviations=self.deviations.value() if self.deviations else None,
            clock_periods=self.clocks.value(),
            two_readers=self.adjudication.two_readers,
            sha256=sha256,
            signed_by=signed_by,
        )

    def _dosing(self) -> Dosing | None:
        if self.dosing is None:
            return None
        return self.dosing.value(restart_is_assumed="dosing.restart" in self.assumed)
