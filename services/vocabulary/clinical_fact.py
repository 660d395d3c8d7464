"""The course of a participant, as sites report it: contents of facts."""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from services.vocabulary.fact_body import FactBody
from services.vocabulary.quantity import Quantity


class Observation(FactBody, frozen=True, tag="observation"):
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


class Action(StrEnum):
    """An act of administering a drug."""

    START = "start"  # of an infusion, or of a repeated oral drug
    RATE = "rate"  # a running infusion goes on at another rate
    STOP = "stop"
    DOSE = "given"  # one dose


class Administration(FactBody, frozen=True, tag="administration"):
    """A drug was given, started, changed or stopped.

    *dose* is an amount (``20 mg``) or a rate (``8 ug/d``). *scheduled* says that the protocol asks
    for it at this time (premedication), whatever the participant's state.
    """

    drug: str
    action: Action
    dose: Quantity | None = None
    route: str = ""
    scheduled: bool = False


class Movement(FactBody, frozen=True, tag="movement"):
    """The participant moved within or between hospitals, or an earlier movement was undone.

    *planned*: an admission that was arranged beforehand; False: urgent; None: it is not said.
    """

    to: Literal["admission", "ward", "icu", "outpatient", "discharge"]
    cancelled: bool = False
    planned: bool | None = None


class Enrolment(FactBody, frozen=True, tag="enrolment"):
    """The participant belongs to the study, at *site*; *observed_at* of the fact is when."""

    site: str
    sex: Literal["female", "male", "other", ""] = ""
    birth_year: int | None = None
    weight_kg: Decimal | None = None


class Transplant(FactBody, frozen=True, tag="transplant"):
    """The graft was infused at *observed_at* of the fact: transplant day 0 at the site.

    *number* is 1 for the trial's own transplant, 2 for a second one.
    """

    donor: Literal["haploidentical", "matched-related", "matched-unrelated", "cord", ""] = ""
    number: int = 1


class Death(FactBody, frozen=True, tag="death"):
    """The participant died; *cause* is a criterion id, ``relapse``, ``infection``, or unknown."""

    cause: str = ""


class Relapse(FactBody, frozen=True, tag="relapse"):
    """The malignancy came back."""

    detail: str = ""


class Withdrawal(FactBody, frozen=True, tag="withdrawal"):
    """The participant left the study: follow-up ends."""

    reason: str = ""


class Culture(FactBody, frozen=True, tag="culture"):
    """A microbiological culture, dated by its specimen."""

    positive: bool
    organism: str = ""


OrganStage = Literal[0, 1, 2, 3, 4]


class GvhdStage(FactBody, frozen=True, tag="gvhd-stage"):
    """Organ stages of acute GVHD; None: not assessed.

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10
    """

    skin: OrganStage | None = None
    liver: OrganStage | None = None
    upper_gi: Literal[0, 1] | None = None
    lower_gi: OrganStage | None = None


ChronicSeverity = Literal["none", "mild", "moderate", "severe"]


class ChronicGvhd(FactBody, frozen=True, tag="chronic-gvhd"):
    """Global severity of chronic GVHD, true from *observed_at* until the next; ``none`` ends it.

    Source: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401
    """

    severity: ChronicSeverity
