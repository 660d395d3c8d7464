"""The words of a fact about GVHD or the graft."""

from collections.abc import Iterable, Iterator
from typing import get_args

from services.vocabulary.clinical_fact import ChronicGvhd, GvhdStage
from services.vocabulary.fact import Body
from services.vocabulary.graft_fact import (
    AcuteOrgan,
    ChronicGvhdScores,
    ChronicOrgan,
    GraftStatus,
    GvhdSigns,
)


def list_graft_words(body: Body) -> tuple[str, ...]:
    """Return the words of a fact about GVHD or the graft; empty for another fact.

    >>> " ".join(list_graft_words(GvhdSigns(upper_gi="none", other_cause=("liver",))))
    'signs of acute GVHD: no upper gut symptoms, another cause of the liver'
    >>> " ".join(list_graft_words(GvhdStage(skin=2, upper_gi=1)))
    'stages of acute GVHD: skin 2, upper gi 1'
    """
    match body:
        case GvhdStage():
            return ("stages of acute GVHD:", ", ".join(_list_numbers(body, get_args(AcuteOrgan))))
        case GvhdSigns():
            return ("signs of acute GVHD:", ", ".join(_list_signs(body)))
        case ChronicGvhd(severity=severity):
            return ("chronic GVHD,", severity)
        case ChronicGvhdScores():
            return ("scores of chronic GVHD:", ", ".join(_list_scores(body)))
        case GraftStatus(status=status, by=signer, note=note):
            return (f"graft {status}, says {signer}", f"({note})" if note else "")
    return ()


def _list_numbers(body: object, organs: Iterable[str]) -> Iterator[str]:
    numbers = ((organ, getattr(body, organ)) for organ in organs)
    yield from (f"{_spell_out(organ)} {number}" for organ, number in numbers if number is not None)


def _list_signs(body: GvhdSigns) -> Iterator[str]:
    if body.rash_percent is not None:
        yield f"rash of {body.rash_percent} %{' with bullae' if body.bullae else ''}"
    if body.bilirubin is not None:
        yield f"bilirubin {body.bilirubin.value} {body.bilirubin.unit}".rstrip()
    if body.upper_gi is not None:
        yield f"{'no' if body.upper_gi == 'none' else body.upper_gi} upper gut symptoms"
    if body.stool_ml_per_day is not None:
        yield f"stool of {body.stool_ml_per_day} mL/day"
    if body.stool_episodes_per_day is not None:
        yield f"{body.stool_episodes_per_day} stools/day"
    if body.severe_gut_sign:
        yield "severe pain, ileus or bloody stool"
    yield from _list_other_causes(body.other_cause)


def _list_scores(body: ChronicGvhdScores) -> Iterator[str]:
    yield from _list_numbers(body, get_args(ChronicOrgan))
    if body.fev1_percent is not None:
        yield f"FEV1 {body.fev1_percent} %"
    yield from _list_other_causes(body.other_cause)


def _list_other_causes(organs: Iterable[str]) -> Iterator[str]:
    yield from (f"another cause of the {_spell_out(organ)}" for organ in organs)


def _spell_out(organ: str) -> str:
    return organ.replace("_", " ")
