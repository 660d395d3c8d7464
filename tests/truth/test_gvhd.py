"""Acute GVHD by MAGIC and chronic GVHD by NIH, worked out from the published tables."""

from decimal import Decimal
from itertools import product

import pytest

from services.runtime.measures import load_measures
from services.safety_rules.domain.syndromes.acute_gvhd import (
    grade_acute_gvhd,
    is_bilirubin_unit_doubtful,
    stage_bilirubin,
    stage_liver,
    stage_lower_gi,
    stage_skin,
    stage_stool_episodes,
    stage_upper_gi,
)
from services.safety_rules.domain.syndromes.chronic_gvhd import (
    ORGANS,
    grade_chronic_gvhd,
    read_scores,
    score_lungs,
)
from services.vocabulary.clinical_fact import GvhdStage
from services.vocabulary.graft_fact import ChronicGvhdScores
from services.vocabulary.quantity import Censoring, Quantity

# skin, liver, upper and lower gut (- is not assessed), and the grade
ACUTE = """
0 0 0 0 0
1 0 0 0 I
2 0 0 0 I
3 0 0 0 II
4 0 0 0 IV
0 1 0 0 II
0 2 0 0 III
0 3 0 0 III
0 4 0 0 IV
0 0 1 0 II
0 0 0 1 II
0 0 0 2 III
0 0 0 3 III
0 0 0 4 IV
1 1 0 0 II
3 1 1 1 II
3 3 1 3 III
3 2 0 0 III
2 0 1 0 II
4 2 1 1 IV
1 0 0 4 IV
- 0 0 0 0-IV
1 - 0 0 I-IV
1 0 - 0 I-II
0 0 - 0 0-II
3 0 - 0 II
0 2 - 0 III
0 0 0 - 0-IV
3 0 0 - II-IV
4 - - - IV
- 4 - - IV
- - 1 - II-IV
- - - 3 III-IV
- - - - 0-IV
"""


def read_row(row):
    *stages, grade = row.split()
    return GvhdStage(*(None if stage == "-" else int(stage) for stage in stages)), grade


def roman(grade):
    return ("0", "I", "II", "III", "IV")[grade]


@pytest.mark.parametrize("row", ACUTE.split("\n")[1:-1])
def test_the_grade_of_acute_gvhd(row):
    stages, expected = read_row(row)
    assert "-".join(dict.fromkeys(map(roman, grade_acute_gvhd(stages)))) == expected


EVERY = [range(5), range(5), range(2), range(5)]


def test_an_interval_is_what_the_organs_that_were_not_assessed_make_of_it():
    for stages in product(*([None, *possible] for possible in EVERY)):
        choices = [
            possible if stage is None else [stage]
            for stage, possible in zip(stages, EVERY, strict=True)
        ]
        grades = {grade_acute_gvhd(GvhdStage(*completed))[0] for completed in product(*choices)}
        assert grade_acute_gvhd(GvhdStage(*stages)) == (min(grades), max(grades)), stages


@pytest.mark.parametrize("stages", [(5,), (0, -1), (0, 0, 2), (0, 0, 0, 5)])
def test_a_stage_that_an_organ_has_not_is_refused(stages):
    with pytest.raises(ValueError, match="there is no stage"):
        grade_acute_gvhd(GvhdStage(*stages))


@pytest.mark.parametrize(
    ("stage", "numbers"),
    [
        (stage_skin, "0:0 0.1:1 24.9:1 25:2 50:2 50.1:3 100:3"),
        (stage_liver, "0.5:0 1.99:0 2:1 3:1 3.1:2 6:2 6.1:3 15:3 15.1:4 40:4"),
        (stage_lower_gi, "0:0 499:0 500:1 999:1 999.5:1 1000:2 1500:2 1501:3"),
        (stage_stool_episodes, "0:0 2:0 2.9:0 3:1 4:1 4.9:1 5:2 7:2 7.1:3 8:3"),
        (score_lungs, "110:0 80:0 79:1 60:1 59:2 40:2 39:3 10:3"),
    ],
    ids=["skin", "liver", "lower gut", "episodes of diarrhea", "lungs"],
)
def test_what_numbers_come_to(stage, numbers):
    for row in numbers.split():
        number, expected = row.split(":")
        assert stage(Decimal(number)) == int(expected), row


def test_signs_that_decide_whatever_the_number():
    assert stage_lower_gi(Decimal(100), pain_ileus_or_blood=True) == 4
    assert stage_skin(Decimal(60), bullae_over_5_percent=True) == 4
    assert stage_skin(Decimal(40), bullae_over_5_percent=True) == 2
    assert [stage_upper_gi(persistent=word) for word in (False, True)] == [0, 1]
    with pytest.raises(ValueError, match="no percentage"):
        stage_skin(Decimal(-1))


# scores of organs that are not 0 (lungs by FEV1; ? is not assessed), and the global severity
CHRONIC = {
    "": "none",
    "skin 1": "mild",
    "skin 1, mouth 1": "mild",
    "skin 1, mouth 1, eyes 1": "moderate",
    "skin 2": "moderate",
    "liver 2, eyes 2": "moderate",
    "lungs 1": "moderate",
    "skin 1, lungs 1": "moderate",
    "skin 3": "severe",
    "lungs 2": "severe",
    "lungs 3": "severe",
    "genital_tract 3, skin 1": "severe",
    "eyes ?": "none-severe",
    "skin 1, lungs ?": "mild-severe",
    "skin 3, lungs ?": "severe",
    "skin 2, mouth ?": "moderate-severe",
}


@pytest.mark.parametrize(("text", "expected"), CHRONIC.items(), ids=CHRONIC)
def test_the_global_severity_of_chronic_gvhd(text, expected):
    scores = dict.fromkeys(ORGANS, 0)
    for organ, score in (part.split() for part in text.split(", ") if part):
        scores[organ] = None if score == "?" else int(score)
    assert "-".join(dict.fromkeys(grade_chronic_gvhd(scores))) == expected


@pytest.mark.parametrize("scores", [{"spleen": 1}, {"skin": 4}, {"skin": -1}])
def test_an_organ_or_a_score_that_there_is_not_is_refused(scores):
    with pytest.raises(ValueError, match="there is no score"):
        grade_chronic_gvhd(scores)


# a bilirubin as it was reported, and the stages that it allows (? is none: it cannot be staged)
BILIRUBINS = {
    "1.99 mg/dL": "0-0",
    "2 mg/dL": "1-1",
    "15.1 mg/dL": "4-4",
    "20 mg/L": "1-1",
    "33.9 umol/L": "0-0",
    "34 umol/L": "1-1",
    "50 umol/L": "1-1",
    "50.5 umol/L": "2-2",
    "102 umol/L": "2-2",
    "255 umol/L": "3-3",
    "256 umol/L": "4-4",
    "0.256 mmol/L": "4-4",
    "<2 mg/dL": "0-0",
    "<=2 mg/dL": "0-1",
    "<3.1 mg/dL": "0-2",
    ">3 mg/dL": "2-4",
    ">2.5 mg/dL": "1-4",
    ">=15 mg/dL": "3-4",
    ">15 mg/dL": "4-4",
    "400 mg/dL": "?",  # no living person's
    "3": "?",  # without a unit
    "3 %": "?",
}


@pytest.mark.parametrize(("text", "expected"), BILIRUBINS.items(), ids=BILIRUBINS)
def test_the_stage_of_the_liver_by_a_bilirubin_as_reported(text, expected):
    number, _, unit = text.partition(" ")
    sign = next((one for one in ("<=", ">=", "<", ">") if number.startswith(one)), "")
    value = Decimal(number.removeprefix(sign))
    bilirubin = Quantity(value, unit, Censoring(sign) if sign else None)
    stages = stage_bilirubin(bilirubin, load_measures())
    assert expected == ("?" if stages is None else f"{stages[0]}-{stages[1]}")


@pytest.mark.parametrize(
    ("weight", "ml", "episodes"),
    [
        ("50.1", "499:0 500:1 1000:2 1501:3", "2:0 3:1 5:2 8:3"),
        ("50", "499:0 500:1 999:1 1000:2 1500:2 1501:3", "3:0 4:1 6:1 7:2 10:2 11:3"),
        ("20", "199:0 200:1 399:1 400:2 600:2 601:3", "3:0 4:1 7:2 11:3"),
    ],
)
def test_the_lower_gut_of_children_is_staged_by_their_weight(weight, ml, episodes):
    for number, stage in (row.split(":") for row in ml.split()):
        assert stage_lower_gi(Decimal(number), weight_kg=Decimal(weight)) == int(stage), number
    for number, stage in (row.split(":") for row in episodes.split()):
        assert stage_stool_episodes(Decimal(number), weight_kg=Decimal(weight)) == int(stage), (
            number
        )


def test_fev1_decides_the_lungs_and_another_cause_is_not_counted():
    scores = read_scores(ChronicGvhdScores(skin=2, lungs=0, fev1_percent=Decimal(59)))
    assert (scores["lungs"], scores["skin"], scores["eyes"]) == (2, 2, None)
    scores = read_scores(ChronicGvhdScores(skin=2, lungs=3, other_cause=("lungs", "eyes")))
    assert (scores["lungs"], scores["skin"], scores["eyes"]) == (0, 2, 0)


@pytest.mark.parametrize(
    ("value", "uln", "is_doubtful"),
    [
        ("15 mg/dL", "21 mg/dL", True),
        ("15 mg/dL", "2 mg/dL", True),
        ("15 mg/dL", "1.99 mg/dL", False),
        ("15 mg/dL", "0.2 mg/dL", False),
        ("15 mg/dL", "0.19 mg/dL", True),
        ("15 umol/L", "1.2 umol/L", True),
        ("15 umol/L", "3.4 umol/L", False),
        ("15 umol/L", "33.9 umol/L", False),
        ("15 umol/L", "34 umol/L", True),
        ("15 umol/L", "0 umol/L", False),
        ("15 mg/dL", "1.2 kg", False),
    ],
)
def test_a_limit_of_normal_may_betray_the_unit_of_a_bilirubin(value, uln, is_doubtful):
    bilirubin, limit = (
        Quantity(Decimal(number), unit) for number, unit in (value.split(), uln.split())
    )
    assert is_bilirubin_unit_doubtful(bilirubin, limit) is is_doubtful
    assert not is_bilirubin_unit_doubtful(bilirubin, None)
