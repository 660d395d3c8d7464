"""Facts about GVHD: what is written is read back, what no scale has is refused."""

import json

import pytest

from services.runtime.wire import Unreadable, make_fact_schema, read_fact, write_fact
from services.vocabulary.clinical_fact import ChronicGvhd, GvhdStage
from tests.helpers.fact_notes import fact


@pytest.mark.parametrize("body", [ChronicGvhd("moderate"), GvhdStage(4, 0, 1, None)])
def test_it_is_read_back(body):
    assert read_fact(write_fact(fact(body))).body == body


FAULTS = [
    (GvhdStage(1, 0, 0, 0), "skin", 5),
    (GvhdStage(1, 0, 0, 0), "upper_gi", 2),  # has one stage only
    (GvhdStage(1, 0, 0, 0), "liver", -1),
    (ChronicGvhd("mild"), "severity", "bad"),
]


@pytest.mark.parametrize(("body", "field", "value"), FAULTS)
def test_what_no_scale_has_is_refused(body, field, value):
    line = json.loads(write_fact(fact(body)))
    line["body"][field] = value
    outcome = read_fact(json.dumps(line))
    assert isinstance(outcome, Unreadable)
    assert outcome.where.endswith(field)


def test_the_schema_names_the_severities():
    severity = make_fact_schema()["$defs"]["ChronicGvhd"]["properties"]["severity"]
    assert severity["enum"] == ["none", "mild", "moderate", "severe"]
