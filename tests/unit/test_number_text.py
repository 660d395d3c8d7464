"""Numbers in text: what is one at every door, and that what was read can be stored."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vocabulary.number_text import (
    LONGEST_STORED,
    STORED_NUMBER,
    UNSIGNED_NUMBER,
    NumberMarks,
    parse_number,
    parse_whole_number,
)
from tests.helpers.hl7_messages import obx, read_draft

NUMBERS = st.from_regex(r"[+-]?([0-9]{1,95}\.?|[0-9]{0,40}\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?")


@given(NUMBERS)
def test_a_number_is_exact_and_can_be_stored(text):
    number = parse_number(text)
    if number is not None:
        assert number == Decimal(text)
        assert re.fullmatch(STORED_NUMBER, str(number))
        assert len(str(number)) <= LONGEST_STORED


@pytest.mark.parametrize("text", ["", "-", ".", "e5", "1.2.3", "0x10", "1 000", "1,5", "1,200"])
def test_what_is_no_number_is_none_at_any_door(text):
    parsers = (parse_number, parse_whole_number)
    assert [parse(text) for parse in parsers] == [None] * 2
    assert not re.fullmatch(UNSIGNED_NUMBER, text)
    assert not re.fullmatch(STORED_NUMBER, text)


@pytest.mark.parametrize(
    ("field", "sequence"), [("42", 42), ("", 0), ("-1", 0), ("٣", 0), ("9" * 5000, 0)]
)
def test_the_number_of_a_message_is_a_whole_number_or_none(field, sequence):
    assert read_draft(obx("0.49"), tail=f"|{field}").sequence == sequence


MARKS = [NumberMarks(",", "."), NumberMarks(",", " "), NumberMarks(".", ","), NumberMarks(".", "'")]


@given(st.decimals(-(10**9), 10**9, places=3), st.sampled_from(MARKS))
def test_a_number_in_the_marks_of_its_writer_is_that_number(number, marks):
    text = f"{number:,}".translate(str.maketrans({",": marks.thousands, ".": marks.decimal}))
    assert marks.parse(text) == number


@given(st.from_regex(r"[0-9]{1,6}[.,][0-9]{1,6}([.,][0-9]{1,4})?", fullmatch=True))
def test_a_mark_that_is_not_named_is_no_number(text):
    for marks in (NumberMarks(), NumberMarks(",")):
        number = marks.parse(text)
        assert number is None or set(text) & {",", "."} == {marks.decimal}
