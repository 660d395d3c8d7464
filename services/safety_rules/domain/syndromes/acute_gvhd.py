"""Acute graft-versus-host disease: stages of organs, and the overall grade that they come to.

Sources: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10 (MAGIC); where it is silent:
docs/decisions/gvhd.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.clinical_fact import GvhdStage
from services.vocabulary.graft_fact import AcuteOrgan
from services.vocabulary.measure import Measure
from services.vocabulary.quantity import Censoring, Quantity

StageSpan = tuple[int, int]  # the least and the greatest stage that is possible

# The highest stage of each organ.
HIGHEST: Mapping[AcuteOrgan, int] = {"skin": 4, "liver": 4, "upper_gi": 1, "lower_gi": 4}
_MILDEST_SEVERE_SKIN = 3  # stage of the skin from which it is more than grade I
_BILIRUBIN = "bilirubin"

# The first number that is beyond each stage: up to and including it, from stage 1 on.
_SKIN_PERCENT = (Decimal(0), Decimal(25), Decimal(50))
# The least number of stage 1, and the greatest of stages 1 to 3, in each published unit.
# Source: umol/L from Dignan et al. 2012, Br J Haematol 158:30-45
_BILIRUBIN_LIMITS: Mapping[str, tuple[Decimal, ...]] = {
    "mg/dL": (Decimal(2), Decimal(3), Decimal(6), Decimal(15)),
    "umol/L": (Decimal(34), Decimal(50), Decimal(102), Decimal(255)),
}
_LIGHTEST_ADULT_KG = Decimal(50)  # heavier than this: the volumes of adults


@dataclass(frozen=True, slots=True)
class _StoolBands:
    """The least number of stages 1 and 2, and the greatest of stage 2, for each way to count."""

    ml: tuple[Decimal, Decimal, Decimal]  # a day; of a child, for each kg
    episodes: tuple[Decimal, Decimal, Decimal]  # a day


_ADULT = _StoolBands(
    (Decimal(500), Decimal(1000), Decimal(1500)), (Decimal(3), Decimal(5), Decimal(7))
)
_CHILD = _StoolBands((Decimal(10), Decimal(20), Decimal(30)), (Decimal(4), Decimal(7), Decimal(10)))


class AcuteGrade(IntEnum):
    """Overall grade of acute GVHD."""

    NONE = 0
    I = 1  # noqa: E741 - the published names
    II = 2
    III = 3
    IV = 4


def grade_acute_gvhd(stages: GvhdStage) -> tuple[AcuteGrade, AcuteGrade]:
    """Return the least and the greatest overall grade that the assessed organs allow.

    >>> grade_acute_gvhd(GvhdStage(skin=3, liver=0, upper_gi=0, lower_gi=0))
    (<AcuteGrade.II: 2>, <AcuteGrade.II: 2>)
    >>> grade_acute_gvhd(GvhdStage(skin=1, liver=0, upper_gi=0))
    (<AcuteGrade.I: 1>, <AcuteGrade.IV: 4>)

    Raises:
        ValueError: A stage is none of that organ.
    """
    assessed_stages = {organ: getattr(stages, organ) for organ in HIGHEST}
    return grade_stage_spans(
        {organ: (stage, stage) for organ, stage in assessed_stages.items() if stage is not None}
    )


def grade_stage_spans(spans: Mapping[AcuteOrgan, StageSpan]) -> tuple[AcuteGrade, AcuteGrade]:
    """Return the least and the greatest overall grade; an organ without a span may be any stage.

    >>> grade_stage_spans({"skin": (1, 1), "liver": (0, 2), "upper_gi": (0, 0), "lower_gi": (0, 0)})
    (<AcuteGrade.I: 1>, <AcuteGrade.III: 3>)

    Raises:
        ValueError: A stage is none of that organ.

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10, table 2
    """
    for organ, span in spans.items():
        for stage in span:
            if not 0 <= stage <= HIGHEST[organ]:
                raise ValueError(f"there is no stage {stage} of {organ}")
    ends = {organ: spans.get(organ, (0, highest)) for organ, highest in HIGHEST.items()}
    return (
        _grade_stages(**{organ: low for organ, (low, _) in ends.items()}),
        _grade_stages(**{organ: high for organ, (_, high) in ends.items()}),
    )


def _grade_stages(skin: int, liver: int, upper_gi: int, lower_gi: int) -> AcuteGrade:
    """The most severe organ decides."""
    if HIGHEST["skin"] in (skin, liver, lower_gi):
        return AcuteGrade.IV
    if max(liver, lower_gi) > 1:
        return AcuteGrade.III
    if skin >= _MILDEST_SEVERE_SKIN or max(liver, lower_gi, upper_gi) > 0:
        return AcuteGrade.II
    return AcuteGrade.I if skin else AcuteGrade.NONE


def stage_skin(rash_percent: Decimal, *, bullae_over_5_percent: bool = False) -> int:
    """Return the stage of a rash on *rash_percent* of the body surface.

    >>> [stage_skin(Decimal(n)) for n in (0, 24, 25, 50, 51)]
    [0, 1, 2, 2, 3]
    >>> stage_skin(Decimal(101))
    Traceback (most recent call last):
        ...
    ValueError: 101 is no percentage of the body surface

    Args:
        rash_percent: Of the body surface, active (erythematous) rash only; 0 to 100.
        bullae_over_5_percent: Generalised erythroderma with bullae and desquamation of more than
            5 % of the surface.

    Raises:
        ValueError: It is no percentage.
    """
    if not 0 <= rash_percent <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(f"{rash_percent} is no percentage of the body surface")
    no_rash, lower, upper = _SKIN_PERCENT
    if rash_percent > upper:
        return 4 if bullae_over_5_percent else 3
    if rash_percent >= lower:
        return 2
    return 1 if rash_percent > no_rash else 0


def stage_liver(bilirubin: Decimal, unit: str = "mg/dL") -> int:
    """Return the stage of the liver; a value between two written bands is of the worse one.

    >>> [stage_liver(Decimal(n)) for n in ("1.9", "2", "3", "3.05", "6", "6.1", "15", "15.1")]
    [0, 1, 1, 2, 2, 3, 3, 4]
    >>> [stage_liver(Decimal(n), "umol/L") for n in (33, 34, 50, 51, 102, 103, 255, 256)]
    [0, 1, 1, 2, 2, 3, 3, 4]
    """
    first, *higher_limits = _BILIRUBIN_LIMITS[unit]
    if bilirubin < first:
        return 0
    return 1 + sum(bilirubin > limit for limit in higher_limits)


def stage_bilirubin(bilirubin: Quantity, measures: Mapping[str, Measure]) -> StageSpan | None:
    """Return the stages that a reported bilirubin allows; None: it cannot be staged.

    A number is staged in the unit system in which it was reported. One that no living person has,
    or whose unit fits none, is as if it were missing.
    """
    for unit, (first, *_) in _BILIRUBIN_LIMITS.items():
        value = rescale_quantity(bilirubin, unit)
        if value is None:
            continue
        stage = stage_liver(value.value, unit)
        match value.censoring:
            case None if measures[_BILIRUBIN].plausible[unit].contains(value.value):
                return stage, stage
            case Censoring.LESS_THAN if value.value == first:
                return 0, 0
            case Censoring.LESS_THAN | Censoring.AT_MOST:
                return 0, stage
            case Censoring.AT_LEAST:
                return stage, HIGHEST["liver"]
            case Censoring.MORE_THAN:
                return stage + (value.value in _BILIRUBIN_LIMITS[unit][1:]), HIGHEST["liver"]
    return None


def is_bilirubin_unit_doubtful(bilirubin: Quantity, uln: Quantity | None) -> bool:
    """Return True when the upper limit of normal of a bilirubin betrays another unit.

    In everybody normal ends below stage 1 of the liver, and not below a tenth of it.
    """
    if uln is None or not uln.value:
        return False
    for unit, (first, *_) in _BILIRUBIN_LIMITS.items():
        limit = rescale_quantity(uln, unit)
        if limit is not None and rescale_quantity(bilirubin, unit) is not None:
            return not first / 10 <= limit.value < first
    return False


def stage_lower_gi(
    stool_ml_per_day: Decimal,
    *,
    pain_ileus_or_blood: bool = False,
    weight_kg: Decimal | None = None,
) -> int:
    """Return the stage of the lower gut by the volume of stool.

    >>> [stage_lower_gi(Decimal(n)) for n in (499, 500, 999, 1000, 1500, 1501)]
    [0, 1, 1, 2, 2, 3]
    >>> [stage_lower_gi(Decimal(n), weight_kg=Decimal(20)) for n in (199, 200, 400, 600, 601)]
    [0, 1, 2, 2, 3]

    Args:
        stool_ml_per_day: Mean of three days.
        pain_ileus_or_blood: Severe abdominal pain with or without ileus, or grossly bloody stool,
            whatever the volume.
        weight_kg: Up to 50 kg the volumes of children hold; None: those of adults.
    """
    if pain_ileus_or_blood:
        return HIGHEST["lower_gi"]
    if weight_kg is None or weight_kg > _LIGHTEST_ADULT_KG:
        return _find_stage(stool_ml_per_day, _ADULT.ml)
    first, second, third = (limit * weight_kg for limit in _CHILD.ml)
    return _find_stage(stool_ml_per_day, (first, second, third))


def stage_stool_episodes(episodes_per_day: Decimal, *, weight_kg: Decimal | None = None) -> int:
    """Return the stage of the lower gut where only episodes of diarrhea were counted.

    >>> [stage_stool_episodes(Decimal(n)) for n in (2, 3, 4, 5, 7, 8)]
    [0, 1, 1, 2, 2, 3]
    >>> [stage_stool_episodes(Decimal(n), weight_kg=Decimal(50)) for n in (3, 4, 6, 7, 10, 11)]
    [0, 1, 1, 2, 2, 3]
    """
    is_adult = weight_kg is None or weight_kg > _LIGHTEST_ADULT_KG
    return _find_stage(episodes_per_day, (_ADULT if is_adult else _CHILD).episodes)


def _find_stage(number: Decimal, limits: tuple[Decimal, Decimal, Decimal]) -> int:
    first, second, third = limits
    if number > third:
        return 3
    return int(number >= first) + int(number >= second)


def stage_upper_gi(*, persistent: bool) -> int:
    """Return 1 for persistent nausea, vomiting or anorexia, 0 for none or intermittent."""
    return int(persistent)
