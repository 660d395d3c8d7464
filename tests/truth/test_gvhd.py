"""Acute GVHD by MAGIC and chronic GVHD by NIH, worked out from the published tables."""

from decimal import Decimal
from itertools import product

import pytest

from services.safety_rules.domain.syndromes.gvhd import (
    ORGANS,
    grade_acute_gvhd,
    grade_chronic_gvhd,
    score_lungs,
    stage_liver,
    stage_lower_gi,
    stage_skin,
    stage_upper_gi,
)
from services.vocabulary.clinical_fact import GvhdStage

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
        (score_lungs, "110:0 80:0 79:1 60:1 59:2 40:2 39:3 10:3"),
    ],
    ids=["skin", "liver", "lower gut", "lungs"],
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
    "genital-tract 3, skin 1": "severe",
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
