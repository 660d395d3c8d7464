"""The stage of an organ in acute GVHD, as far as what is charted tells, and the worst of several.

Source: docs/decisions/gvhd.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.safety_rules.domain.syndromes.acute_gvhd import (
    HIGHEST,
    StageSpan,
    stage_bilirubin,
    stage_lower_gi,
    stage_skin,
    stage_stool_episodes,
    stage_upper_gi,
)
from services.vocabulary.clinical_fact import GvhdStage
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Input
from services.vocabulary.graft_fact import AcuteOrgan, GvhdSigns
from services.vocabulary.measure import Measure
from services.vocabulary.quantity import Quantity


@dataclass(frozen=True, slots=True)
class OrganFinding:
    """The stage of one organ, as far as its sign tells, and whence it is known.

    *is_judged*: a clinician staged the organ, or named another cause of its sign; a result of the
    laboratory does not change that while it stays true.
    """

    fact: Fact
    stages: StageSpan
    sign: str = ""
    missing: tuple[Input, ...] = ()
    is_judged: bool = False
    is_other_cause: bool = False
    other_facts: tuple[Fact, ...] = ()  # of the same instant, that leave a worse stage open


def find_stages(
    fact: Fact, weight_kg: Decimal | None, measures: Mapping[str, Measure]
) -> Iterator[tuple[AcuteOrgan, OrganFinding]]:
    """Yield each organ that *fact* speaks of, with its stage; *weight_kg* None: not known."""
    body = fact.body
    if isinstance(body, GvhdStage):
        for organ in HIGHEST:
            stage = getattr(body, organ)
            if stage is not None:
                yield organ, OrganFinding(fact, (stage, stage), is_judged=True)
    if not isinstance(body, GvhdSigns):
        return
    for organ in body.other_cause:
        finding = OrganFinding(fact, (0, 0), "another cause", is_judged=True)
        yield organ, replace(finding, is_other_cause=True)
    if body.rash_percent is not None:
        stage = stage_skin(body.rash_percent, bullae_over_5_percent=body.bullae)
        sign = f"rash of {body.rash_percent} %{' with bullae' if body.bullae else ''}"
        yield "skin", OrganFinding(fact, (stage, stage), sign)
    if body.upper_gi is not None:
        stage = stage_upper_gi(persistent=body.upper_gi == "persistent")
        sign = "no symptoms" if body.upper_gi == "none" else f"{body.upper_gi} symptoms"
        yield "upper_gi", OrganFinding(fact, (stage, stage), sign)
    if (gut := _stage_gut(body, weight_kg)) is not None:
        stage, sign = gut
        yield "lower_gi", OrganFinding(fact, (stage, stage), sign)
    if body.bilirubin is not None:
        yield "liver", stage_charted_bilirubin(fact, body.bilirubin, measures)


def _stage_gut(body: GvhdSigns, weight_kg: Decimal | None) -> tuple[int, str] | None:
    """Return the stage of the lower gut and its sign; None: nothing of it was charted."""
    if body.severe_gut_sign:
        return HIGHEST["lower_gi"], "severe pain, ileus or bloody stool"
    if body.stool_ml_per_day is not None:
        stage = stage_lower_gi(body.stool_ml_per_day, weight_kg=weight_kg)
        return stage, f"stool of {body.stool_ml_per_day} mL/day"
    if body.stool_episodes_per_day is not None:
        stage = stage_stool_episodes(body.stool_episodes_per_day, weight_kg=weight_kg)
        return stage, f"{body.stool_episodes_per_day} stools/day"
    return None


def stage_charted_bilirubin(
    fact: Fact, bilirubin: Quantity, measures: Mapping[str, Measure]
) -> OrganFinding:
    """Return the stage of the liver by *bilirubin*; any stage when it cannot be read."""
    stages = stage_bilirubin(bilirubin, measures)
    sign = f"bilirubin {bilirubin.censoring or ''}{bilirubin.value} {bilirubin.unit}".rstrip()
    if stages is None:
        return OrganFinding(fact, (0, HIGHEST["liver"]), sign, (Input.BILIRUBIN,))
    return OrganFinding(fact, stages, sign, () if stages[0] == stages[1] else (Input.BILIRUBIN,))


def join_findings(findings: Sequence[OrganFinding]) -> OrganFinding:
    """Return the finding that *findings* of one organ at one instant come to: the worst.

    They are compared by their stages, since their numbers may have different units. Signs are the
    worst at each end: one that cannot be staged takes nothing from what others show, and leaves
    open that it is worse.
    """
    lead = max(findings, key=_rank_finding)
    worst_possible = max(findings, key=lambda one: (one.stages[1], one.fact.id))
    if lead.is_judged or worst_possible.stages[1] == lead.stages[1]:
        return lead
    return replace(
        lead,
        stages=(lead.stages[0], worst_possible.stages[1]),
        sign=f"{lead.sign}; {worst_possible.sign}",
        missing=worst_possible.missing,
        other_facts=(worst_possible.fact,),
    )


def _rank_finding(finding: OrganFinding) -> tuple[bool, StageSpan, str]:
    """Return the rank among findings of one instant: a named cause, then the worst stage."""
    return finding.is_other_cause, finding.stages, finding.fact.id
