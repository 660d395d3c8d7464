"""A kind of result is read once: by the mappings that the site has now, and in bounded memory."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.domain.hl7 import result_kinds
from services.ingest.domain.hl7.context import build_context
from services.ingest.domain.hl7.message import parse_message
from services.ingest.domain.hl7.range_text import split_range
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.hl7.result_kinds import ResultKinds
from services.ingest.domain.hl7.values import read_fixed_limits, read_result, read_value
from services.ingest.domain.message_content import ParkReason
from services.ingest.domain.site import Sites
from services.vocabulary.fact import Status
from services.vocabulary.number_text import NumberMarks
from tests.helpers.fact_notes import HOUR_ZERO
from tests.helpers.hl7_messages import NORTH, OBR, PID, header, obx

TABLES = load_code_tables()
KINDS = ("", "NM", "SN", "ST", "TX", "CE", "DT")
RANGES = ("", "1.5-7.7", "< 5", "1,500-7,700", "3,5-5,0", "7-3", "none", "0.5-1.5 g/L", "1.500-2")
MARKS = (None, NumberMarks(","), NumberMarks(",", "."), NumberMarks(".", ","))


def read(site, *lines):
    content = "\r".join([header(), PID, OBR, *lines]).encode()
    return read_message(content, Sites.build((site,)), TABLES)


@given(
    st.sampled_from(KINDS),
    st.lists(st.text("0123456789.,-<>= e", max_size=8), min_size=1, max_size=4),
    st.sampled_from(RANGES),
    st.sampled_from(MARKS),
)
def test_limits_that_go_with_every_value_are_those_of_a_result_read_whole(
    kind, components, range_text, marks
):
    whole = read_result(kind, components, split_range(range_text), "/uL", marks)
    limits = read_fixed_limits(split_range(range_text), "/uL", marks)
    if limits is not None and (marks is not None or "," not in "".join(components)):
        assert (read_value(kind, components, "/uL", marks), *limits) == (
            whole.value,
            whole.lln,
            whole.uln,
        )


def test_a_value_with_a_comma_is_read_with_its_limits_after_one_without():
    lines = [
        obx(value, "/uL", kind="ST", limits="1,500-7,700") for value in ("2400", "2,400", "2400")
    ]
    values = [draft.body.value.value for draft in read(NORTH, *lines).drafts]
    assert values == [Decimal(2400)] * 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"codes": {}}, ParkReason.UNKNOWN_CODE),
        ({"units": {}}, ParkReason.UNKNOWN_UNIT),
        ({}, None),
    ],
)
def test_a_site_that_maps_otherwise_is_read_otherwise_at_once(change, expected):
    line = obx("0.5", "KCELLS", code="NEUT_ABS")
    assert len(read(NORTH, line).drafts) == 1
    parked = read(replace(NORTH, **change), line).parked
    assert [item.reason for item in parked] == ([expected] if expected else [])


def test_results_that_differ_in_one_field_are_of_different_kinds():
    lines = [
        obx("0.5"),
        obx("0.5", "/uL"),
        obx("0.5", limits="1-2"),
        obx("0.5", status="C"),
        obx("0.5", kind="DT"),
    ]
    content = read(NORTH, *lines)
    values = [(d.body.value.unit, d.body.lln is None, d.status) for d in content.drafts]
    assert values == [
        ("10*3/uL", True, Status.FINAL),
        ("/uL", True, Status.FINAL),
        ("10*3/uL", False, Status.FINAL),
        ("10*3/uL", True, Status.CORRECTED),
    ]
    assert [item.path for item in content.parked] == ["OBX[5].5"]


def test_ever_new_texts_and_endless_ones_fill_no_memory(monkeypatch):
    monkeypatch.setattr(result_kinds, "_MOST_KINDS", 10)
    lines = [obx("0.5", limits=f"1-{number}") for number in range(2, 25)]
    message = parse_message("\r".join([header(), PID, OBR, *lines]).encode())
    context = build_context(message, NORTH, TABLES, HOUR_ZERO)
    kinds = ResultKinds(TABLES)
    sizes = [(kinds.find(context, one), len(kinds))[1] for one in message.segments_named("OBX")]
    assert sizes == [*range(1, 11), *range(1, 11), 1, 2, 3]
    endless_line = obx("0.5", limits="1-2" + " " * 1000)
    (endless,) = parse_message(f"{header()}\r{endless_line}".encode()).segments_named("OBX")
    assert kinds.find(context, endless).limits is not None
    assert len(kinds) == 3
