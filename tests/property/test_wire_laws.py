"""Every fact and every record that can be written is read back equal."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.ingest.json_line import read_json_object
from services.runtime.canonical_json import digest_canonical, write_canonical
from services.runtime.fact_schema import rewrite_fact
from services.runtime.wire import (
    Unreadable,
    read_decision,
    read_detail,
    read_episode_content,
    read_fact,
    read_standing,
    write_fact,
)
from services.vocabulary.alert import AlertKind, DeathDetail
from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Body, Fact
from services.vocabulary.graft_fact import ChronicGvhdScores, GvhdSigns
from services.vocabulary.recommendation import Advice
from services.vocabulary.standing import Standing

INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001  the strategy adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001  the same
    timezones=st.just(UTC),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)

st.register_type_strategy(datetime, INSTANTS)
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(str, TEXT)
st.register_type_strategy(timedelta, st.timedeltas())


NOT_NEGATIVE = st.decimals(0, 100_000)
# fields whose values are not all that their type can be
POSSIBLE_VALUES = {
    GvhdSigns: {
        "rash_percent": st.decimals(0, 100),
        "stool_ml_per_day": st.none() | NOT_NEGATIVE,
        "stool_episodes_per_day": st.none() | NOT_NEGATIVE,
    },
    ChronicGvhdScores: {"fev1_percent": st.none() | NOT_NEGATIVE},
}


def draw_any(kind):
    """Any value of a struct of the vocabulary."""
    values = {field.name: st.from_type(field.type) for field in structs.fields(kind)}
    return st.builds(kind, **values | POSSIBLE_VALUES.get(kind, {}))


BODIES = st.one_of([draw_any(body) for body in get_args(Body)])
FACTS = st.builds(
    Fact,
    id=TEXT,
    subject=TEXT,
    observed_at=INSTANTS,
    reported_at=INSTANTS,
    body=BODIES,
    digest=TEXT,
    site=TEXT,
    notes=st.lists(TEXT, max_size=2).map(tuple),
)


@given(FACTS)
def test_a_fact_is_read_back_equal_digit_for_digit(fact):
    copy = read_fact(write_fact(fact))
    assert copy == fact
    assert write_fact(copy) == write_fact(fact)
    assert write_canonical(copy) == write_canonical(fact)


@given(FACTS)
def test_a_fact_has_the_text_that_the_standard_library_would_write(fact):
    text = write_fact(fact).decode()
    entries = json.loads(text)
    assert text == json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    assert list(entries) == list(fact.__struct_fields__)
    assert list(entries["body"]) == [*fact.body.__struct_fields__, "kind"]


JSON_VALUES = st.sampled_from(
    [
        *(None, True, 0, 1, -1, 2.5, 1e3, [], ["x"], [1], {}, {"value": "1", "unit": "g/L"}),
        *("", "x", "1", "1.50", "1_0", " 1", "NaN", "1E+999", "none", "2026-03-01"),
        *("2026-03-01T08:00Z", "2026-03-01T08:00:00+02:00"),
    ]
)


@given(FACTS, st.data())
def test_both_readers_take_the_same_and_refuse_the_same(fact, data):
    entries = json.loads(write_fact(fact))
    part = data.draw(st.sampled_from([one for one in list_objects(entries) if one]))
    part[data.draw(st.sampled_from([*part, "colour"]))] = data.draw(JSON_VALUES)
    line = json.dumps(entries)
    read, rewritten = read_fact(line), rewrite_fact(line)
    if isinstance(rewritten, tuple):
        assert read == Unreadable(*rewritten)
    else:
        assert write_fact(read) == rewritten


def list_objects(part):
    """List the objects in *part*, itself and those in it."""
    if isinstance(part, list):
        return [one for entry in part for one in list_objects(entry)]
    if not isinstance(part, dict):
        return []
    return [part, *(one for entry in part.values() for one in list_objects(entry))]


@given(FACTS, st.data())
def test_a_key_that_comes_twice_is_named_at_any_depth(fact, data):
    entries = json.loads(write_fact(fact))
    assert "comes twice" not in str(read_json_object(json.dumps(entries).encode()))
    part = data.draw(st.sampled_from([one for one in list_objects(entries) if one]))
    key = data.draw(st.sampled_from(list(part)))
    part["again"] = part[key]
    line = json.dumps(entries).replace('"again": ', f'"{key}": ')
    assert read_json_object(line.encode())[0].startswith(f"the key '{key}' comes twice")


@pytest.mark.parametrize(
    ("kind", "read_record"),
    [
        (EpisodeContent, read_episode_content),
        (Standing, read_standing),
        (Decision, read_decision),
        (Advice, partial(read_detail, AlertKind.DOSE)),
        (DeathDetail, partial(read_detail, AlertKind.DEATH)),
    ],
)
@given(data=st.data())
def test_a_record_is_read_back_equal(kind, read_record, data):
    value = data.draw(st.from_type(kind))
    copy = read_record(write_canonical(value))
    assert copy == value
    assert digest_canonical(copy) == digest_canonical(value)
