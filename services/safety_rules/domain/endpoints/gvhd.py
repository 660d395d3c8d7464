"""Grades of graft-versus-host disease."""

from enum import IntEnum

from services.vocabulary.fact import ChronicSeverity, GvhdStage, OrganStage


class AcuteGrade(IntEnum):
    """Overall grade of acute GVHD."""

    NONE = 0
    I = 1  # noqa: E741  the published names
    II = 2
    III = 3
    IV = 4


SEVERITY: dict[ChronicSeverity, int] = {"none": 0, "mild": 1, "moderate": 2, "severe": 3}
_HIGHEST: OrganStage = 4


def overall_grade(stages: GvhdStage) -> tuple[AcuteGrade, AcuteGrade]:
    """Return the least and the greatest overall grade that the organs which were assessed allow.

    >>> overall_grade(GvhdStage(skin=3, liver=0, upper_gi=0, lower_gi=0))
    (<AcuteGrade.II: 2>, <AcuteGrade.II: 2>)
    >>> overall_grade(GvhdStage(skin=1, liver=0, upper_gi=0))
    (<AcuteGrade.I: 1>, <AcuteGrade.IV: 4>)

    Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10, table 2
    """
    skin, liver, upper, lower = stages.skin, stages.liver, stages.upper_gi, stages.lower_gi
    return (
        _grade(skin or 0, liver or 0, upper or 0, lower or 0),
        _grade(
            _HIGHEST if skin is None else skin,
            _HIGHEST if liver is None else liver,
            1 if upper is None else upper,
            _HIGHEST if lower is None else lower,
        ),
    )


def _grade(skin: int, liver: int, upper_gi: int, lower_gi: int) -> AcuteGrade:
    """The most severe organ decides."""
    if _HIGHEST in (skin, liver, lower_gi):
        return AcuteGrade.IV
    if max(liver, lower_gi) > 1:
        return AcuteGrade.III
    if skin > AcuteGrade.II or max(liver, lower_gi, upper_gi) > 0:
        return AcuteGrade.II
    return AcuteGrade.I if skin else AcuteGrade.NONE
