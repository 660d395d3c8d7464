"""Which rules wrote a record: the edition of the code, with the meaning of criteria and protocol.

Comments and layout of the files do not count; the order of keys does, since the first rule that
fits a record speaks of it. It imports little: a command that only prints it starts at once.
"""

import csv
import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import StringIO
from pathlib import Path

from services.runtime.measures import load_measures
from services.runtime.strict_yaml import Document, read_yaml, read_yaml_file
from services.safety_rules.edition import EDITION
from services.vocabulary.measure import Measure, MeasureKind

TABLES = files("services.safety_rules") / "criteria"
PROTOCOL = "protocol.yaml"
TERMS, ASSESSED = "terms.csv", "assessed.yaml"


def rules_version(table: str, protocol: Document, edition: int = EDITION) -> str:
    """Return 16 hexadecimal digits that change when records may be graded otherwise.

    Args:
        table: One of `list_tables`, e.g. ``ctcae-5.0``.
        protocol: A protocol file.
        edition: Of the rules that are code.

    Raises:
        UntrustedFileError: A file of the table is not UTF-8, or not YAML.
    """
    parts = (f"edition {edition}", criteria_meaning(TABLES / table), protocol_meaning(protocol))
    return sha256("|".join(parts).encode()).hexdigest()[:16]


def study_rules_version(folder: Path) -> str:
    """Return the `rules_version` of the study in *folder*; its files are read, not checked.

    Raises:
        UntrustedFileError: The protocol is not there or no YAML, or `find_table` finds none.
    """
    protocol = read_yaml_file(folder / PROTOCOL)
    return rules_version(find_table(protocol), protocol)


def find_table(protocol: Document) -> str:
    """Return the table of criteria that *protocol* names, e.g. ``ctcae-5.0``.

    Raises:
        UntrustedFileError: It names none, or one that is not there.
    """
    name = protocol.value.get("criteria") if isinstance(protocol.value, dict) else None
    names = list_tables()
    if name not in names:
        problem = "is missing" if name is None else f"{name!r} is no table"
        raise protocol.refusal([("criteria", f"{problem}; it is one of: {', '.join(names)}")])
    return str(name)


def list_tables() -> list[str]:
    """Return the names of the tables of criteria, the oldest version first."""
    return sorted(folder.name for folder in TABLES.iterdir() if folder.is_dir())


@lru_cache(maxsize=64)  # a table is read for its version and for its criteria
def read_criteria_file(text: str, file: str) -> Document:
    """Return the values of *file* of a table of criteria, whose content is *text*.

    Raises:
        UntrustedFileError: It is no YAML.
    """
    return read_yaml(text, file)


def criteria_meaning(folder: Traversable) -> str:
    """Return the sha256 of the terms, thresholds and plausible values of the table in *folder*.

    Why a term is left to clinicians (`ASSESSED`) grades nothing.
    """
    by_name = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    thresholds = [
        read_criteria_file(text, str(folder / name)).value
        for name, text in sorted(by_name.items())
        if name.endswith(".yaml") and name != ASSESSED
    ]
    terms = csv.reader(StringIO(by_name[TERMS]))
    return _digest([thresholds, list(terms), plausible_meaning(load_measures())])


def plausible_meaning(measures: Mapping[str, Measure]) -> object:
    """Return the plausible values of *measures* in the form in which they are hashed.

    What a device is set to is no value of a person: the edition covers it.

    >>> sodium = load_measures()["sodium"]
    >>> plausible_meaning({"sodium": sodium})
    {'plausible': {'sodium': {'mmol/L': [80, 260]}}}
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


def protocol_meaning(protocol: Document) -> str:
    """Return the sha256 of what a protocol file says of grades and rules.

    Who has to read a record before it is decided, how long there is to report it, and how a link
    acknowledges change no record.

    >>> meanings = [protocol_meaning(read_yaml(text, "")) for text in ("n: 40 # now", "{n: 40}")]
    >>> meanings[0] == meanings[1]
    True
    >>> protocol_meaning(read_yaml("n: 41", "")) == meanings[0]
    False
    """
    content = protocol.value
    if isinstance(content, Mapping):
        content = _drop_keys(content, {"adjudication", "clocks"})
        if isinstance(alerts := content.get("alerts"), Mapping):
            content["alerts"] = _drop_keys(alerts, {"acknowledge_from_link"})
    return _digest(content)


def _drop_keys(content: Mapping[str, object], names: set[str]) -> dict[str, object]:
    return {key: value for key, value in content.items() if key not in names}


def _digest(document: object) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()
