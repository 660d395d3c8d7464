"""A file's values are what its model says, or every fault is named with line, field and remedy."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import Field

from services.runtime.file_error import UntrustedFileError
from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import read_yaml


class Site(StrictModel):
    id: str
    timezone: str
    beds: int = Field(0, le=100)
    share: float = 1.0
    is_open: bool = True
    kind: Literal["ward", "icu"] = "ward"
    senders: tuple[str, ...] = ()
    codes: Mapping[str, str] = {}


class File(StrictModel):
    sites: Annotated[tuple[Site, ...], Field(min_length=1)]
    settings: Mapping[str, bool | int | str] = {}


def read(text):
    return read_model(read_yaml(text, "sites.yaml"), File)


def test_a_good_file_becomes_its_model():
    text = "sites:\n- {id: a, timezone: UTC, beds: 3, share: 1, senders: [X], codes: {007: b}}\n"
    (site,) = read(text).sites
    assert (site.beds, site.share, site.senders, site.codes) == (3, 1.0, ("X",), {"007": "b"})


FIRST = "sites:\n- id: north\n  timezone: UTC\n"
BAD = {  # what is added to FIRST; the faults
    "a key misspelt": (
        "  sender: [X]",
        ["line 4, sites.north.sender: there is no such key; did you mean 'senders'?"],
    ),
    "a key that nothing is like": (
        "  colour: red",
        [
            (
                "line 4, sites.north.colour: there is no such key; it is one of: id, timezone,"
                " beds, share, is_open, kind, senders, codes"
            )
        ],
    ),
    "a key misspelt is not missing too": (
        "- id: south\n  timezones: UTC",
        ["line 5, sites.south.timezones: there is no such key; did you mean 'timezone'?"],
    ),
    "a long value": (
        f"  kind: {'x' * 900}",
        [f"line 4, sites.north.kind: must be 'ward' or 'icu', not '{'x' * 79}"],
    ),
    "a long key": (
        f"  ? {'x' * 900}\n  : 1",
        [
            (
                f"line 4, sites.north.{'x' * 148}...: there is no such key; it is one of: id,"
                " timezone, beds, share, is_open, kind, senders, codes"
            )
        ],
    ),
    "a key that is missing": ("- id: south", ["line 4, sites.south.timezone: is missing: add it"]),
    "a number for text": (
        "  codes: {a: 12}",
        ["line 4, sites.north.codes.a: must be text: put it in quotes"],
    ),
    "a list for text": ("  codes: {a: [b]}", ["line 4, sites.north.codes.a: must be text"]),
    "text for a number": ("  beds: '12'", ["line 4, sites.north.beds: must be a whole number"]),
    "a decimal for a whole number": (
        "  beds: 12.0",
        ["line 4, sites.north.beds: must be a whole number"],
    ),
    "truth for a number": ("  share: true", ["line 4, sites.north.share: must be a number"]),
    "a number for truth": ("  is_open: 1", ["line 4, sites.north.is_open: must be true or false"]),
    "a word that is none of them": (
        "  kind: tent",
        ["line 4, sites.north.kind: must be 'ward' or 'icu', not 'tent'"],
    ),
    "a number out of range": (
        "  beds: 101",
        ["line 4, sites.north.beds: must be less than or equal to 100, not 101"],
    ),
    "text for a list": ("  senders: X", ["line 4, sites.north.senders: must be a list"]),
    "a list for keys": (
        "  codes: [a]",
        ["line 4, sites.north.codes: must be keys with values (key: value)"],
    ),
    "a value of several types": (
        "settings: {a: 1.5}",
        ["line 4, settings.a: must be true or false"],
    ),
    "two faults": (
        "  beds: x\nsettings: []\ncolour: red",
        [
            "line 4, sites.north.beds: must be a whole number",
            "line 5, settings: must be keys with values (key: value)",
            "line 6, colour: there is no such key; it is one of: sites, settings",
        ],
    ),
}


@pytest.mark.parametrize(("added", "problems"), BAD.values(), ids=BAD)
def test_every_fault_has_its_line_its_field_and_what_to_do(added, problems):
    with pytest.raises(UntrustedFileError) as refusal:
        read(FIRST + added)
    assert str(refusal.value).splitlines() == [f"sites.yaml {problem}" for problem in problems]


def test_a_file_that_is_no_mapping_is_refused():
    with pytest.raises(UntrustedFileError) as refusal:
        read("- a")
    assert str(refusal.value) == "sites.yaml line 1: must be keys with values (key: value)"


def test_a_list_that_needs_items_is_refused_without_any():
    with pytest.raises(UntrustedFileError) as refusal:
        read("sites: []")
    assert str(refusal.value) == "sites.yaml line 1, sites: must list at least 1"
