"""The rows of each scale in our own words, from ``scales/wording.csv``."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.vocabulary.grade import Grade

_FILE = files("services.safety_rules") / "scales" / "wording.csv"
_COLUMNS = ["scale", "grade", "says", "source"]


@dataclass(frozen=True, slots=True)
class ScaleRow:
    """One row of a scale: *says* in our words what *source* publishes."""

    says: str
    source: str


ScaleRows = Mapping[Grade, ScaleRow]


@cache
def load_scale_rows() -> Mapping[str, ScaleRows]:
    """Return the rows of every scale, by grade.

    >>> load_scale_rows()["astct-2019.crs"][Grade.DEATH].says
    'Death from the syndrome when nothing else is its principal cause.'

    Raises:
        ValueError: A row cannot be read.
    """
    return read_scale_rows(_FILE.read_text("utf-8").splitlines())


def read_scale_rows(lines: Iterable[str]) -> Mapping[str, ScaleRows]:
    """Return the rows of a table of wordings, by scale and grade.

    >>> read_scale_rows(["scale,grade,says,source", "s,7,Worse.,Lee"])
    Traceback (most recent call last):
        ...
    ValueError: 7 is not a valid Grade

    Raises:
        ValueError: A column is missing, a cell is empty, or a row stands twice or has no grade.
    """
    reader = csv.DictReader(lines, strict=True)
    if reader.fieldnames != _COLUMNS:
        raise ValueError(f"the columns are {reader.fieldnames}, not {_COLUMNS}")
    rows: dict[str, dict[Grade, ScaleRow]] = {}
    for cells in reader:
        if not all(cells.get(column) for column in _COLUMNS):
            raise ValueError(f"a cell is empty: {cells}")
        grade = Grade(int(cells["grade"]))
        if grade in rows.setdefault(cells["scale"], {}):
            raise ValueError(f"{cells['scale']} has two rows of grade {grade:d}")
        rows[cells["scale"]][grade] = ScaleRow(cells["says"], cells["source"])
    return rows
