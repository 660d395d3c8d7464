"""The course of a participant, as sites report it: contents of facts."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Observation:
    """A measured or scored value; *text* when it is a word (a device, ``HEMOLYZED``).

    *measure* is one of the names in ``measures.csv``, e.g. ``neutrophils``.
    Limits of normal are those that the laboratory reported with the value. *fasting* and *at_rest*
    say what the participant was, None: it is not said. *peripheral*: a temperature was taken at the
    skin (armpit, forehead), below that of the core.
    """

    measure: str
    value: Quantity | None = None
    text: str = ""
    lln: Quantity | None = None
    uln: Quantity | None = None
    fasting: bool | None = None
    at_rest: bool | None = None
    peripheral: bool | None = None
    kind: Literal["observation"] = "observation"


class Action(StrEnum):
    """An act of administering a drug."""

    START = "start"  # of an infusion, or of a repeated oral drug
    RATE = "rate"  # a running infusion goes on at another rate
    STOP = "stop"
    DOSE = "given"  # one dose


@dataclass(frozen=True, slots=True)
class Administration:
    """A drug was given, started, changed or stopped.

    *dose* is an amount (``20 mg``) or a rate (``8 ug/d``). *scheduled* says that the protocol asks
    for it at this time (premedication), whatever the participant's state.
    """

    drug: str
    action: Action
    dose: Quantity | None = None
    route: str = ""
    scheduled: bool = False
    kind: Literal["administration"] = "administration"


@dataclass(frozen=True, slots=True)
class Movement:
    """The participant moved within or between hospitals, or an earlier movement was undone.

    *planned*: an admission that was arranged beforehand; False: urgent; None: it is not said.
    """

    to: Literal["admission", "ward", "icu", "outpatient", "discharge"]
    cancelled: bool = False
    planned: bool | None = None
    kind: Literal["movement"] = "movement"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The participant belongs to the study, at *site*; *observed_at* of the fact is when."""

    site: str
    sex: Literal["female", "male", "other", ""] = ""
    birth_year: int | None = None
    weight_kg: Decimal | None = None
    kind: Literal["enrolment"] = "enrolment"


@dataclass(frozen=True, slots=True)
class Transplant:
    """The graft was infused at *observed_at* of the fact: transplant day 0 at the site.

    *number* is 1 for the trial's own transplant, 2 for a second one.
    """

    donor: Literal["haploidentical", "matched-related", "matched-unrelated", "cord", ""] = ""
    number: int = 1
    kind: Literal["transplant"] = "transplant"


@dataclass(frozen=True, slots=True)
class Death:
    """The participant died; *cause* is a criterion id, ``relapse``, ``infection``, or unknown."""

    cause: str = ""
    kind: Literal["death"] = "death"


@dataclass(frozen=True, slots=True)
class Relapse:
    """The malignancy came back."""

    detail: str = ""
    kind: Literal["relapse"] = "relapse"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The participant left the study: follow-up ends."""

    reason: str = ""
    kind: Literal["withdrawal"] = "withdrawal"


@dataclass(frozen=True, slots=True)
class Culture:
    """A microbiological culture, dated by its specimen."""

    positive: bool
    organism: str = ""
    kind: Literal["culture"] = "culture"


OrganStage = Literal[0, 1, 2, 3, 4]


@dataclass(frozen=True, slots=True)
class GvhdStage:
    """Organ stages of acute GVHD; None: not assessed.

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10
    """

    skin: OrganStage | None = None
    liver: OrganStage | None = None
    upper_gi: Literal[0, 1] | None = None
    lower_gi: OrganStage | None = None
    kind: Literal["gvhd-stage"] = "gvhd-stage"


ChronicSeverity = Literal["none", "mild", "moderate", "severe"]


@dataclass(frozen=True, slots=True)
class ChronicGvhd:
    """Global severity of chronic GVHD, true from *observed_at* until the next; ``none`` ends it.

    Source: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401
    """

    severity: ChronicSeverity
    kind: Literal["chronic-gvhd"] = "chronic-gvhd"
