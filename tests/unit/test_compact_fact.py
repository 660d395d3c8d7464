"""A compact fact is read as the whole one is, whatever is written in it."""

import json

import pytest
from msgspec.structs import replace

from services.runtime import wire
from services.vocabulary.clinical_fact import Death, Observation
from services.vocabulary.fact import ResultKey
from tests.helpers.fact_notes import fact, lab
from tests.helpers.random_trials import trial

TRAPS = [',"text":""', '","visit":""', ',"lln":null', '\\",\\"uln\\":null}', ',"notes":[]']


@pytest.mark.parametrize("seed", range(8))
def test_every_kind_of_fact_is_read_as_before(seed):
    for item in trial(seed):
        compact = wire.write_compact_fact(item)
        assert wire.read_fact(compact) == item
        assert len(compact) <= len(wire.write_fact(item))


@pytest.mark.parametrize("text", TRAPS)
def test_words_that_look_like_a_field_stay(text):
    for body in (Observation("sbp", text=text), Death(text)):
        item = fact(body, notes=(text,), visit=text, result_key=ResultKey(text, text, text, text))
        assert wire.read_fact(wire.write_compact_fact(item)) == item


def test_a_result_without_more_says_no_more():
    record = json.loads(wire.write_compact_fact(lab("sodium", "140", unit="mmol/L", lln="135")))
    assert record["body"] == {
        "measure": "sodium",
        "value": {"value": "140", "unit": "mmol/L"},
        "lln": {"value": "135", "unit": "mmol/L"},
        "kind": "observation",
    }
    assert (
        not {"notes", "visit", "series", "sequence", "result_key", "site", "status"} & record.keys()
    )


def test_a_required_field_stays_when_it_is_empty():
    item = replace(lab("sodium", "140"), series="", id="", digest="")
    assert wire.read_fact(wire.write_compact_fact(item)) == item
