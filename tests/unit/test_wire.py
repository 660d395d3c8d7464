"""Values on the wire: written ones are read back, unknown ones are refused."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial

import pytest
from msgspec import structs

from services.runtime.canonical_json import digest_canonical, write_canonical
from services.runtime.fact_schema import make_fact_schema
from services.runtime.wire import (
    Unreadable,
    digest_clinical,
    read_decision,
    read_detail,
    read_episode_content,
    read_fact,
    read_standing,
    write_fact,
)
from services.vocabulary.alert import AlertKind, DeathDetail, QuarantineDetail
from services.vocabulary.clinical_fact import Enrolment, Movement, Observation, Transplant
from services.vocabulary.grade import Grade, Incomplete, Input
from services.vocabulary.judgement import Adjudication, Verdict
from services.vocabulary.quantity import Quantity
from services.vocabulary.recommendation import Advice, AdviceKind
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab
from tests.helpers.store import CONTENT, DECISION, STANDING

ADVICE = Advice(
    "P-001", AdviceKind.DEVIATION, "premedication", 1, "dexamethasone missing", HOUR_ZERO
)
COMPLETE_FACT = lab("neutrophils", "0.490", unit="10*9/L", lln="2.0", uln="7.5")


@pytest.mark.parametrize(
    "original", [COMPLETE_FACT, lab("alt", ">5000", unit="U/L"), lab("alt", "30")]
)
def test_a_fact_survives_the_journey_digit_for_digit(original):
    copy = read_fact(write_fact(original))
    assert copy == original
    assert str(copy.body.value.value) == str(original.body.value.value)


def test_the_kind_of_body_is_always_written():
    assert json.loads(write_fact(fact(Transplant())))["body"]["kind"] == "transplant"


FAULTS = [  # what is changed, to what, where it is refused, as what
    ("colour", "red", "colour", "unexpected_keyword_argument"),
    ("body.colour", "red", "body.observation.colour", "unexpected_keyword_argument"),
    ("body.value.colour", "red", "body.observation.value.colour", "unexpected_keyword_argument"),
    ("body.value.value", "hemolyzed", "body.observation.value.value", "decimal_text"),
    ("body.value.value", "NaN", "body.observation.value.value", "decimal_text"),
    ("body.value.value", "1_000", "body.observation.value.value", "decimal_text"),
    ("body.value.value", "٣", "body.observation.value.value", "decimal_text"),
    ("body.value.value", "1E+1000", "body.observation.value.value", "decimal_text"),
    ("body.value.value", "1" * 111, "body.observation.value.value", "decimal_text"),
    ("body.value.value", 0.49, "body.observation.value.value", "decimal_text"),
    ("body.value.censoring", "~", "body.observation.value.censoring", "enum"),
    ("body.value", "0.49", "body.observation.value", "dataclass_type"),
    ("body.kind", "opinion", "body", "union_tag_invalid"),
    ("body.kind", None, "body", "union_tag_invalid"),
    ("body", {"measure": "alt"}, "body", "union_tag_not_found"),
    ("status", "Z", "status", "enum"),
    ("subject", 7, "subject", "string_type"),
    ("sequence", "7", "sequence", "int_type"),
    ("observed_at", 1772352000, "observed_at", "datetime_type"),
    ("observed_at", "2026-03-01T08:00:00", "", "value_error"),
    ("observed_at", "2026-03-01T08:00:00+02:00", "", "value_error"),
]


@pytest.mark.parametrize(("place", "content", "where", "problem"), FAULTS)
def test_what_is_not_understood_is_refused(place, content, where, problem):
    record = json.loads(write_fact(COMPLETE_FACT))
    *parents, key = place.split(".")
    part = record
    for parent in parents:
        part = part[parent]
    part[key] = content
    assert read_fact(json.dumps(record)) == Unreadable(where, problem)


def test_what_recurs_in_facts_is_one_object():
    text = write_fact(COMPLETE_FACT)
    first, second = (read_fact(text.replace(b"0.490", number)) for number in (b"0.49", b"0.490"))
    assert first.body.lln is second.body.lln
    assert first.body.measure is second.body.measure
    assert (str(first.body.value.value), str(second.body.value.value)) == ("0.49", "0.490")


def test_a_fact_says_its_times_with_the_one_utc_object():
    copy = read_fact(write_fact(COMPLETE_FACT).replace(b'Z"', b'+00:00"'))
    assert copy.observed_at.tzinfo is copy.reported_at.tzinfo is UTC


def test_a_time_of_a_judgement_may_be_written_without_seconds():
    body = Adjudication("alt", Verdict.CONFIRM, "dr", "seen", HOUR_ZERO)
    text = write_fact(fact(body))
    assert read_fact(re.sub(rb'(?<="signed_at":")(.{16}):00Z', rb"\1Z", text)).body == body


def test_a_weight_keeps_its_digits_too():
    enrolment = fact(Enrolment("S1", weight_kg=Decimal("70.50")))
    assert str(read_fact(write_fact(enrolment)).body.weight_kg) == "70.50"
    as_number = write_fact(enrolment).replace(b'"70.50"', b"70.50")
    assert read_fact(as_number).problem == "decimal_text"


@pytest.mark.parametrize(
    ("read_value", "value"),
    [
        (read_episode_content, CONTENT),
        (read_standing, STANDING),
        (read_decision, DECISION),
        (partial(read_detail, AlertKind.BOUNDARY_LIKELY), DECISION),
        (partial(read_detail, AlertKind.POSSIBLE), CONTENT),
        (partial(read_detail, AlertKind.DEATH), DeathDetail("sepsis", 90, None)),
        (partial(read_detail, AlertKind.DEVIATION), ADVICE),
        (partial(read_detail, AlertKind.QUARANTINE), QuarantineDetail("ValueError")),
    ],
)
def test_records_are_read_back_as_they_were(read_value, value):
    assert read_value(write_canonical(value)) == value
    with pytest.raises(ValueError, match="unreadable record at 'colour'"):
        read_value(write_canonical(value).replace("{", '{"colour":"red",', 1))


def test_equal_content_has_one_text_whatever_the_order_of_its_mappings():
    first_value, second_value = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert write_canonical(replace(DECISION, cut=first_value)) == write_canonical(
        replace(DECISION, cut=second_value)
    )
    assert digest_canonical(replace(DECISION, cut=first_value)) != digest_canonical(
        replace(DECISION, cut={"a": 1})
    )


PLAIN = [
    (Quantity(Decimal("0.490"), "g/L"), '{"censoring":null,"unit":"g/L","value":"0.490"}'),
    (datetime(2026, 3, 1, 8, tzinfo=UTC), '"2026-03-01T08:00:00Z"'),
    (datetime(2026, 3, 1, 8, 0, 0, 5, tzinfo=UTC), '"2026-03-01T08:00:00.000005Z"'),
    (timedelta(hours=72), '"P3D"'),
    ((Grade.SEVERE, None, True, "µ"), '[3,null,true,"µ"]'),
    (
        Incomplete(Grade.NONE, Grade.DEATH, frozenset({Input.ULN, Input.LLN}), ""),
        '{"at_least":0,"at_most":5,"because":"","missing":["LLN","ULN"]}',
    ),
]


@pytest.mark.parametrize(("value", "text"), PLAIN)
def test_canonical_is_plain(value, text):
    assert write_canonical(value) == text


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (datetime(2026, 3, 1, 8), ValueError),  # noqa: DTZ001  naive is the point
        (datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=2))), ValueError),
        (float("nan"), ValueError),
        (b"bytes", TypeError),
    ],
)
def test_canonical_refuses_what_has_no_one_text(value, error):
    with pytest.raises(error):
        write_canonical((value,))


def test_a_fact_from_before_visits_were_read_is_still_read():
    stored_fact = json.loads(write_fact(COMPLETE_FACT))
    del stored_fact["visit"], stored_fact["body"]["fasting"], stored_fact["body"]["at_rest"]
    assert read_fact(json.dumps(stored_fact)) == COMPLETE_FACT


DIGESTS = {  # the first sixteen digits, as the first release made them
    "observation": (
        Observation("temperature", Quantity(Decimal("35.0"), "Cel")),
        "7efbd95a440af4f3",
    ),
    "movement": (
        Movement("admission"),
        "288fc9f2885186a6",
    ),
}


@pytest.mark.parametrize(("body", "digest"), DIGESTS.values(), ids=DIGESTS)
def test_a_field_that_says_nothing_leaves_the_digest_of_older_releases(body, digest):
    assert digest_clinical("P-001", HOUR_ZERO, body)[:16] == digest
    field = "planned" if isinstance(body, Movement) else "peripheral"
    filled_body = structs.replace(body, **{field: True})
    assert digest_clinical("P-001", HOUR_ZERO, filled_body)[:16] != digest


def test_the_published_schema_asks_only_for_what_a_sender_knows():
    schema = make_fact_schema()
    assert set(schema["required"]) == {"subject", "observed_at", "body"}
    observation = schema["$defs"]["Observation"]
    assert set(observation["required"]) == {"measure", "kind"}
    assert observation["additionalProperties"] is False
    assert schema["$defs"]["Quantity"]["properties"]["value"]["type"] == "string"
    assert len(schema["properties"]["body"]["oneOf"]) == 21
    json.dumps(schema)
