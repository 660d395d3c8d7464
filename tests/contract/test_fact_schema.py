"""The published schema is the one that lines of facts are read by."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.ingest.facts import read_facts, read_lines, schema
from services.runtime import wire
from services.vocabulary.clinical_fact import Death
from services.vocabulary.fact import Status
from tests.helpers.fact_notes import fact, lab
from tests.helpers.intake import NAMES, new_intake, open_client

PUBLISHED_SCHEMA = Path(__file__).parents[2] / "docs" / "fact.schema.json"
LINE = {
    "subject": "P-001",
    "observed_at": "2026-03-01T08:00:00+01:00",
    "body": {
        "kind": "observation",
        "measure": "neutrophils",
        "value": {"value": "0.490", "unit": "10*9/L"},
    },
}


def test_the_published_schema_has_not_drifted_from_the_code():
    assert json.loads(PUBLISHED_SCHEMA.read_text()) == schema(), (
        "the form of a fact has changed: write it again with `make schema`"
    )


def test_the_schema_is_served_to_everybody(tmp_path):
    async def get():
        async with open_client(new_intake(tmp_path), "") as client:
            return await client.get("/v1/facts/schema")

    response = asyncio.run(get())
    assert (response.status_code, response.json()) == (200, schema())
    assert response.headers["content-type"] == "application/schema+json"


def read_line(**changes):
    return read_lines(json.dumps({**LINE, **changes}).encode(), NAMES)


def test_what_the_schema_asks_for_is_enough():
    assert set(schema()["required"]) == LINE.keys()
    ((line,), wrong) = read_line()
    assert wrong == []
    assert line.fact.observed_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert line.fact.reported_at == line.fact.observed_at
    assert str(line.fact.body.value.value) == "0.490"
    assert line.fact.status is Status.FINAL


@pytest.mark.parametrize("name", sorted(LINE))
def test_what_the_schema_asks_for_is_asked_for(name):
    facts, (wrong,) = read_lines(
        json.dumps({key: value for key, value in LINE.items() if key != name}).encode(), NAMES
    )
    assert facts == []
    assert name in wrong.detail


@pytest.mark.parametrize("name", sorted(schema()["properties"].keys() - LINE.keys()))
def test_what_the_schema_allows_is_read_and_what_it_does_not_know_is_refused(name):
    line = json.loads(wire.write_fact(lab("alt", "30", unit="U/L", sequence=3, notes=("n",))))
    facts, wrong = read_line(**{name: line[name]})
    assert (len(facts), wrong) == (1, [])
    facts, (strange,) = read_line(**{f"{name}s": line[name]})
    assert (facts, "there is no such key" in strange.detail) == ([], True)


@pytest.mark.parametrize("fact", [lab("alt", "<30", unit="U/L"), fact(Death("relapse"))])
def test_a_fact_as_the_journal_writes_it_is_a_line(fact):
    ((line,), wrong) = read_lines(wire.write_fact(fact), NAMES)
    assert (line.fact, wrong) == (fact, [])


@pytest.mark.parametrize(
    "line_text", [b"[" * 100_000, b'{"subject": "\\ud800"}', b"null", b"{", b'"a"', b"NaN", b"\x00"]
)
def test_no_line_makes_it_stumble(line_text):
    facts, (wrong,) = read_lines(line_text, NAMES)
    assert (facts, wrong.path, str(wrong.reason)) == ([], "line 1", "unreadable-line")


def test_lines_are_counted_as_an_editor_counts_them():
    good = json.dumps(LINE).encode()
    content = b"\r\n".join((good, b"", b"oops", good, b"oops", b""))
    reading = read_facts(content, "north", "", NAMES)
    assert [line.place for line in reading.facts] == ["line 1", "line 4"]
    assert [item.path for item in reading.parked] == ["line 3", "line 5"]


@pytest.mark.parametrize(
    "time_text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", 1772352000]
)
def test_a_time_that_stands_for_none_is_refused(time_text):
    facts, (wrong,) = read_line(observed_at=time_text)
    assert (facts, "is no time" in wrong.detail) == ([], True)


def observation_of(measure):
    return {"kind": "observation", "measure": measure, "text": "yes"}


def assessment_of(criterion):
    return {"kind": "assessment", "criterion": criterion, "grade": 3, "by": "dr.a"}


def finding_about(criterion):
    return {"kind": "finding", "criterion": criterion, "by": "dr.a", "symptoms": "mild"}


NAMED_BODIES = {  # the body of a line, the reason for which it is parked, the end of the detail
    "a measure": (observation_of("ice"), "", ""),
    "no measure": (observation_of("inspired-oxygen"), "unknown-measure", "'inspired-oxygen'"),
    "a misspelt measure": (
        observation_of("neutrophil"),
        "unknown-measure",
        "'neutrophil'; did you mean 'neutrophils'?",
    ),
    "a measure in capitals": (observation_of("ICE"), "unknown-measure", "'ICE'"),
    "a term": (assessment_of("ctcae-5.0.chronic-kidney-disease"), "", ""),
    "a bare term": (
        assessment_of("chronic-kidney-disease"),
        "unknown-criterion",
        "'chronic-kidney-disease'; did you mean 'ctcae-5.0.chronic-kidney-disease'?",
    ),
    "no term": (assessment_of("Nonsense"), "unknown-criterion", "'Nonsense'"),
    "a term of another version": (
        assessment_of("ctcae-4.03.tremor"),
        "unknown-criterion",
        "did you mean 'ctcae-5.0.tremor'?",
    ),
    "a scale, which is computed": (
        assessment_of("astct-2019.crs"),
        "unknown-criterion",
        "'astct-2019.crs'",
    ),
    "a finding about a term": (finding_about("ctcae-5.0.hyponatremia"), "", ""),
    "a finding about none": (
        finding_about("hyponatremia"),
        "unknown-criterion",
        "did you mean 'ctcae-5.0.hyponatremia'?",
    ),
}


@pytest.mark.parametrize(("body", "reason", "end"), NAMED_BODIES.values(), ids=NAMED_BODIES)
def test_a_line_with_a_name_that_nobody_knows_is_parked(body, reason, end):
    facts, wrong = read_line(body=body)
    assert [str(item.reason) for item in wrong] == [reason] * bool(reason)
    assert len(facts) + len(wrong) == 1
    assert all(item.path == "line 1" and item.detail.endswith(end) for item in wrong)
