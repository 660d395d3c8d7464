"""Signs of graft-versus-host disease and the state of the graft: contents of facts."""

from decimal import Decimal
from typing import Literal

from services.vocabulary.fact_body import FactBody
from services.vocabulary.quantity import Quantity

AcuteOrgan = Literal["skin", "liver", "upper_gi", "lower_gi"]
ChronicOrgan = Literal[
    "skin", "mouth", "eyes", "gi_tract", "liver", "lungs", "joints_and_fascia", "genital_tract"
]
OrganScore = Literal[0, 1, 2, 3]
_PERCENT = Decimal(100)  # per cent


class GvhdSigns(FactBody, frozen=True, tag="gvhd-signs"):
    """Signs of acute GVHD at the bedside, from which organs are staged; None: not charted.

    Args:
        rash_percent: Of the body surface with active (erythematous) rash, 0 to 100.
        bullae: Bullae and desquamation of more than 5 % of the surface were seen.
        bilirubin: Total bilirubin that whoever charts it counts as a sign of GVHD.
        upper_gi: Nausea, vomiting or anorexia.
        stool_ml_per_day: Mean of three days.
        stool_episodes_per_day: Mean of three days; read where no volume was measured.
        severe_gut_sign: Severe abdominal pain with or without ileus, or grossly bloody stool.
        other_cause: Organs whose signs a clinician explains by something other than GVHD.

    Raises:
        ValueError: A number cannot be, or there are bullae on a rash of unknown extent.

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10
    """

    rash_percent: Decimal | None = None
    bullae: bool = False
    bilirubin: Quantity | None = None
    upper_gi: Literal["none", "intermittent", "persistent"] | None = None
    stool_ml_per_day: Decimal | None = None
    stool_episodes_per_day: Decimal | None = None
    severe_gut_sign: bool = False
    other_cause: tuple[AcuteOrgan, ...] = ()

    def __post_init__(self) -> None:
        if self.rash_percent is not None and not 0 <= self.rash_percent <= _PERCENT:
            raise ValueError(f"{self.rash_percent} is no percentage of the body surface")
        if self.bullae and self.rash_percent is None:
            raise ValueError("bullae need the extent of the rash")
        for number in (self.stool_ml_per_day, self.stool_episodes_per_day):
            if number is not None and number < 0:
                raise ValueError(f"{number} of stool a day cannot be")


class ChronicGvhdScores(FactBody, frozen=True, tag="chronic-gvhd-scores"):
    """NIH organ scores of chronic GVHD at one visit; None: not scored.

    Args:
        skin: The higher of the two scores of the skin.
        mouth: Score, as those of the other organs.
        eyes: As above.
        gi_tract: As above.
        liver: As above.
        lungs: By FEV1; *fev1_percent* decides where it is given.
        joints_and_fascia: As above.
        genital_tract: As above.
        fev1_percent: FEV1 in per cent of predicted.
        other_cause: Organs whose abnormality is explained entirely by a documented other cause.

    Raises:
        ValueError: The FEV1 is negative.

    Source: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401
    """

    skin: OrganScore | None = None
    mouth: OrganScore | None = None
    eyes: OrganScore | None = None
    gi_tract: OrganScore | None = None
    liver: OrganScore | None = None
    lungs: OrganScore | None = None
    joints_and_fascia: OrganScore | None = None
    genital_tract: OrganScore | None = None
    fev1_percent: Decimal | None = None
    other_cause: tuple[ChronicOrgan, ...] = ()

    def __post_init__(self) -> None:
        if self.fev1_percent is not None and self.fev1_percent < 0:
            raise ValueError(f"an FEV1 of {self.fev1_percent} % cannot be")


class GraftStatus(FactBody, frozen=True, tag="graft-status"):
    """A clinician's judgement of the graft, true from *observed_at* until the next."""

    status: Literal["functioning", "failed"]
    by: str
    note: str = ""
