"""Which rules wrote a record: the edition of the code, with the meaning of criteria and protocol.

Comments and layout of the files do not count; the order of keys does, since the first rule that
fits a record speaks of it. It imports little: a command that only prints it starts at once.
"""

import csv
import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from pathlib import Path

import yaml

from services.runtime.measures import load_measures
from services.runtime.yaml_keys import read_yaml
from services.safety_rules.edition import EDITION
from services.vocabulary.measure import Measure, MeasureKind

TABLES = files("services.safety_rules") / "criteria"
_PROTOCOL = "protocol.yaml"
TERMS, ASSESSED = "terms.csv", "assessed.yaml"


def rules_version(table: str, protocol: bytes, edition: int = EDITION) -> str:
    """Return 16 hexadecimal digits that change when records may be graded otherwise.

    Args:
        table: A folder of `TABLES`, e.g. ``ctcae-5.0``.
        protocol: The content of a protocol file.
        edition: Of the rules that are code.

    Raises:
        FileNotFoundError: There is no such table.
        UnicodeDecodeError, yaml.YAMLError: A file is not UTF-8, or not YAML.
    """
    parts = (f"edition {edition}", criteria_meaning(TABLES / table), protocol_meaning(protocol))
    return sha256("|".join(parts).encode()).hexdigest()[:16]


def study_rules_version(folder: Path) -> str:
    """Return the `rules_version` of the study in *folder*; its files are read, not checked.

    Raises:
        OSError: Its protocol, or the table that it names, is not there.
        ValueError: The protocol is no YAML, or names no table.
    """
    content = (folder / _PROTOCOL).read_bytes()
    return rules_version(read_criteria_name(content), content)


def read_criteria_name(content: bytes) -> str:
    """Return the table of criteria that a protocol file names, e.g. ``ctcae-5.0``.

    Raises:
        ValueError: It is no YAML, or names no table.
    """
    try:
        document = read_yaml(content.decode("utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{_PROTOCOL}: not YAML") from error
    if not isinstance(document, Mapping) or not isinstance(document.get("criteria"), str):
        raise ValueError(f"{_PROTOCOL}: criteria: names no table")  # noqa: TRY004 - a value of a file
    return str(document["criteria"])


def criteria_meaning(folder: Traversable) -> str:
    """Return the sha256 of the terms, thresholds and plausible values of the table in *folder*.

    Why a term is left to clinicians (`ASSESSED`) grades nothing.
    """
    by_name = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    graded = [
        read_yaml(text)
        for name, text in sorted(by_name.items())
        if name.endswith(".yaml") and name != ASSESSED
    ]
    published = csv.reader(StringIO(by_name[TERMS]))
    return _digest([graded, list(published), plausible_meaning(load_measures())])


def plausible_meaning(measures: Mapping[str, Measure]) -> object:
    """Return the plausible values of *measures* in the form in which they are hashed.

    What a device is set to is no value of a person: the edition covers it.

    >>> sodium = load_measures()["sodium"]
    >>> plausible_meaning({"sodium": sodium})
    {'plausible': {'sodium': {'mmol/L': [80, 220]}}}
    """
    return {
        "plausible": {
            measure.name: {
                unit: [_plain_number(one.low), _plain_number(one.high)]
                for unit, one in measure.plausible.items()
            }
            for measure in measures.values()
            if measure.plausible and measure.kind is not MeasureKind.SETTING
        }
    }


def _plain_number(number: Decimal) -> int | float:
    """Return *number* as YAML reads it: without a decimal point a whole number."""
    return int(number) if number.as_tuple().exponent == 0 else float(number)


def protocol_meaning(content: bytes) -> str:
    """Return the sha256 of what a protocol file says.

    >>> protocol_meaning(b"n: 40 # planned") == protocol_meaning(b"{n: 40}")
    True
    >>> protocol_meaning(b"n: 40") == protocol_meaning(b"n: 41")
    False
    """
    return _digest(read_yaml(content.decode("utf-8")))


def _digest(document: object) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()
