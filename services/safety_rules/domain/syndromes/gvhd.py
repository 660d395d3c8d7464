"""Graft-versus-host disease: stages of organs, and the grade or severity that they come to.

Sources: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10 (acute, MAGIC); Jagasia et al.
2015, Biol Blood Marrow Transplant 21:389-401 (chronic, NIH); where they are silent:
docs/decisions/gvhd.md
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import IntEnum

from services.vocabulary.clinical_fact import ChronicSeverity, GvhdStage

_HIGHEST = {"skin": 4, "liver": 4, "upper_gi": 1, "lower_gi": 4}
_MILDEST_SEVERE_SKIN = 3  # stage of the skin from which it is more than grade I

# The first number that is beyond each stage: up to and including it, from stage 1 on.
_SKIN_PERCENT = (Decimal(0), Decimal(25), Decimal(50))
_BILIRUBIN_MG_DL = (Decimal(2), Decimal(3), Decimal(6), Decimal(15))
_STOOL_ML = (Decimal(500), Decimal(1000), Decimal(1500))


class AcuteGrade(IntEnum):
    """Overall grade of acute GVHD."""

    NONE = 0
    I = 1  # noqa: E741 - the published names
    II = 2
    III = 3
    IV = 4


# Global severities of chronic GVHD, the mildest first
SEVERITY: Mapping[ChronicSeverity, int] = {"none": 0, "mild": 1, "moderate": 2, "severe": 3}


def grade_acute_gvhd(stages: GvhdStage) -> tuple[AcuteGrade, AcuteGrade]:
    """Return the least and the greatest overall grade that the assessed organs allow.

    >>> grade_acute_gvhd(GvhdStage(skin=3, liver=0, upper_gi=0, lower_gi=0))
    (<AcuteGrade.II: 2>, <AcuteGrade.II: 2>)
    >>> grade_acute_gvhd(GvhdStage(skin=1, liver=0, upper_gi=0))
    (<AcuteGrade.I: 1>, <AcuteGrade.IV: 4>)

    Raises:
        ValueError: A stage is none of that organ.

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10, table 2
    """
    organ_stages = {organ: getattr(stages, organ) for organ in _HIGHEST}
    for organ, stage in organ_stages.items():
        if stage is not None and not 0 <= stage <= _HIGHEST[organ]:
            raise ValueError(f"there is no stage {stage} of {organ}")
    lowest_stages = {organ: stage or 0 for organ, stage in organ_stages.items()}
    highest_stages = {
        organ: _HIGHEST[organ] if stage is None else stage for organ, stage in organ_stages.items()
    }
    return _grade_stages(**lowest_stages), _grade_stages(**highest_stages)


def _grade_stages(skin: int, liver: int, upper_gi: int, lower_gi: int) -> AcuteGrade:
    """The most severe organ decides."""
    if _HIGHEST["skin"] in (skin, liver, lower_gi):
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


def stage_liver(bilirubin_mg_dl: Decimal) -> int:
    """Return the stage of the liver; a value between two written bands is of the worse one.

    >>> [stage_liver(Decimal(n)) for n in ("1.9", "2", "3", "3.05", "6", "6.1", "15", "15.1")]
    [0, 1, 1, 2, 2, 3, 3, 4]
    """
    first, *higher_limits = _BILIRUBIN_MG_DL
    if bilirubin_mg_dl < first:
        return 0
    return 1 + sum(bilirubin_mg_dl > limit for limit in higher_limits)


def stage_lower_gi(stool_ml_per_day: Decimal, *, pain_ileus_or_blood: bool = False) -> int:
    """Return the stage of the lower gut of an adult (above 50 kg).

    >>> [stage_lower_gi(Decimal(n)) for n in (499, 500, 999, 1000, 1500, 1501)]
    [0, 1, 1, 2, 2, 3]

    Args:
        stool_ml_per_day: Mean of three days.
        pain_ileus_or_blood: Severe abdominal pain with or without ileus, or grossly bloody stool,
            whatever the volume.
    """
    if pain_ileus_or_blood:
        return 4
    first, second, third = _STOOL_ML
    if stool_ml_per_day > third:
        return 3
    return int(stool_ml_per_day >= first) + int(stool_ml_per_day >= second)


def stage_upper_gi(*, persistent: bool) -> int:
    """Return 1 for persistent nausea, vomiting or anorexia, 0 for none or intermittent."""
    return int(persistent)


def grade_chronic_gvhd(scores: Mapping[str, int | None]) -> tuple[ChronicSeverity, ChronicSeverity]:
    """Return the least and the greatest global severity that organ scores allow.

    >>> grade_chronic_gvhd({"skin": 1, "mouth": 1, "lungs": 0})
    ('mild', 'severe')
    >>> grade_chronic_gvhd(dict.fromkeys(ORGANS, 0) | {"lungs": 1})
    ('moderate', 'moderate')

    Args:
        scores: By organ, 0 to 3; None or left out: not assessed. That of the lungs is by FEV1.

    Raises:
        ValueError: There is no such organ or score.

    Source: Jagasia et al. 2015, Biol Blood Marrow Transplant 21:389-401, table 3
    """
    for organ, score in scores.items():
        if organ not in ORGANS or not (score is None or 0 <= score <= _WORST_SCORE):
            raise ValueError(f"there is no score {score} of {organ}")
    organ_scores = {organ: scores.get(organ) for organ in ORGANS}
    lowest_scores = {organ: score or 0 for organ, score in organ_scores.items()}
    highest_scores = {
        organ: _WORST_SCORE if score is None else score for organ, score in organ_scores.items()
    }
    return _grade_scores(lowest_scores), _grade_scores(highest_scores)


ORGANS: Sequence[str] = (
    "skin", "mouth", "eyes", "gi-tract", "liver", "lungs", "joints-and-fascia", "genital-tract",
)  # fmt: skip
_WORST_SCORE = 3
_SEVERAL_ORGANS = 3


def _grade_scores(scores: Mapping[str, int]) -> ChronicSeverity:
    lungs = scores["lungs"]
    worst = max(score for organ, score in scores.items() if organ != "lungs")
    affected_organs = sum(score > 0 for score in scores.values())
    if worst >= _WORST_SCORE or lungs > 1:
        return "severe"
    if worst > 1 or lungs == 1 or affected_organs >= _SEVERAL_ORGANS:
        return "moderate"
    return "mild" if affected_organs else "none"


def score_lungs(fev1_percent: Decimal) -> int:
    """Return the score of the lungs by FEV1 (per cent of predicted), which alone counts globally.

    A value between two written bands is of the worse one.

    >>> [score_lungs(Decimal(n)) for n in ("80", "79.5", "60", "59.5", "40", "39.5")]
    [0, 1, 1, 2, 2, 3]
    """
    return sum(fev1_percent < limit for limit in _FEV1_PERCENT)


_FEV1_PERCENT = (Decimal(80), Decimal(60), Decimal(40))
