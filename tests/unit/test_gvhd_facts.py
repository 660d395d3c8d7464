"""Facts about GVHD: what is written is read back, what no scale has is refused."""

import json
from decimal import Decimal

import pytest

from services.runtime.fact_schema import make_fact_schema
from services.runtime.wire import Unreadable, read_fact, write_fact
from services.vocabulary.clinical_fact import ChronicGvhd, GvhdStage
from services.vocabulary.graft_fact import ChronicGvhdScores, GraftStatus, GvhdSigns
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import fact

SIGNS = GvhdSigns(Decimal("30.5"), bilirubin=Quantity(Decimal("2.50"), "mg/dL"))


@pytest.mark.parametrize(
    "body",
    [
        ChronicGvhd("moderate"),
        GvhdStage(4, 0, 1, None),
        SIGNS,
        GvhdSigns(Decimal(60), bullae=True, upper_gi="persistent", other_cause=("liver", "skin")),
        ChronicGvhdScores(skin=3, fev1_percent=Decimal("79.5"), other_cause=("eyes",)),
        GraftStatus("failed", "dr", "donor chimerism 2 %"),
    ],
)
def test_it_is_read_back(body):
    assert read_fact(write_fact(fact(body))).body == body


FAULTS = [
    (GvhdStage(1, 0, 0, 0), "skin", 5),
    (GvhdStage(1, 0, 0, 0), "upper_gi", 2),  # has one stage only
    (GvhdStage(1, 0, 0, 0), "liver", -1),
    (ChronicGvhd("mild"), "severity", "bad"),
    (ChronicGvhdScores(), "skin", 4),
    (SIGNS, "upper_gi", "often"),
    (SIGNS, "rash_percent", 30.5),  # a JSON number loses digits
    (GraftStatus("failed", "dr"), "status", "poor"),
]


@pytest.mark.parametrize(("body", "field", "value"), FAULTS)
def test_what_no_scale_has_is_refused(body, field, value):
    line = json.loads(write_fact(fact(body)))
    line["body"][field] = value
    outcome = read_fact(json.dumps(line))
    assert isinstance(outcome, Unreadable)
    assert outcome.where.endswith(field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rash_percent", "100.1"),
        ("rash_percent", "-1"),
        ("stool_ml_per_day", "-1"),
        ("stool_episodes_per_day", "-0.5"),
    ],
)
def test_a_sign_that_cannot_be_is_refused(field, value):
    line = json.loads(write_fact(fact(SIGNS)))
    line["body"][field] = value
    assert read_fact(json.dumps(line)) == Unreadable("body.gvhd-signs", "value_error")


def test_bullae_need_the_extent_of_the_rash():
    with pytest.raises(ValueError, match="extent of the rash"):
        GvhdSigns(bullae=True)
    with pytest.raises(ValueError, match="an FEV1 of -1 % cannot be"):
        ChronicGvhdScores(fev1_percent=Decimal(-1))


def test_the_schema_names_the_severities():
    severity = make_fact_schema()["$defs"]["ChronicGvhd"]["properties"]["severity"]
    assert severity["enum"] == ["none", "mild", "moderate", "severe"]
