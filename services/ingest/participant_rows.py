"""The rows of a CSV file of participants, each read or with its problem."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.ingest.domain.hl7.times import EARLIEST_YEAR
from services.ingest.domain.site import Sites
from services.vocabulary.number_text import parse_number
from services.vocabulary.printable_text import quote_text

_PREFIX = "Value error, "  # of the library, before our own words


def _require_printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("has a character that cannot be printed")
    return value


Text = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_require_printable)]
_Pseudonym = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_require_printable)]


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _as_time(value: object) -> datetime:
    """Return the time in a cell; a number of days or of seconds is refused."""
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        instant = None
    if instant is None or instant.year < EARLIEST_YEAR:
        raise ValueError("write it as 2026-03-01T08:00, with an offset or in local time")
    if instant.year == MAXYEAR:  # in another zone it may lie in a year that there is not
        raise ValueError(f"{instant.isoformat()} lies in the future")
    return instant


def _as_number(value: object) -> Decimal:
    number = parse_number(str(value))
    if number is None:
        raise ValueError("write it in digits, as 70.5")
    return number


Time = Annotated[datetime, BeforeValidator(_as_time)]
_Number = BeforeValidator(_as_number)
_BirthYear = Annotated[int, Field(ge=1900, le=2100), _Number]
_Kilograms = Annotated[Decimal, Field(gt=0, lt=500), _Number]
_EMPTY_IS_NONE = BeforeValidator(_none_if_empty)


class ParticipantRow(BaseModel):
    """One line; times are ISO 8601, in the site's calendar when they have no offset."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    participant: _Pseudonym
    site: Text
    authority: Text
    identifier_type: str = ""  # empty: that of the authority in sites.yaml
    identifier: Text
    transplant_at: Annotated[Time | None, _EMPTY_IS_NONE] = None
    donor: Literal["haploidentical", "matched-related", "matched-unrelated", "cord", ""] = ""
    sex: Literal["female", "male", "other", ""] = ""
    birth_year: Annotated[_BirthYear | None, _EMPTY_IS_NONE] = None
    weight_kg: Annotated[_Kilograms | None, _EMPTY_IS_NONE] = None
    enrolled_at: Time


COLUMNS = tuple(ParticipantRow.model_fields)
_NAMES = ", ".join(COLUMNS)


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A line that cannot be imported: its number and the problem."""

    line: int
    problem: str

    def __str__(self) -> str:
        """Return one sentence."""
        return f"line {self.line}: {self.problem}"


def read_rows(
    content: bytes, sites: Sites
) -> tuple[list[tuple[int, ParticipantRow, bytes]], list[WrongRow]]:
    """Return each row of *content* with its line and text, and the lines that are wrong."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [WrongRow(1, f"byte {error.start} of the file is not UTF-8")]
    reader = csv.DictReader(io.StringIO(text))
    try:
        columns = Counter(reader.fieldnames or ())
    except csv.Error as error:
        return [], [WrongRow(1, _explain_csv(error))]
    missing = [name for name in COLUMNS if name not in columns]
    missing_required = [name for name in missing if ParticipantRow.model_fields[name].is_required()]
    if missing_required:
        problem = (
            f"the header has no column {', '.join(missing_required)}; columns are parted by commas"
        )
        return [], [WrongRow(1, problem)]
    if repeated_names := [name for name in COLUMNS if columns[name] > 1]:
        return [], [WrongRow(1, f"the header has {', '.join(repeated_names)} more than once")]
    unknown_columns = [name for name in columns if name not in COLUMNS]
    if unknown_columns:
        names = quote_text(", ".join(map(repr, unknown_columns)))
        problem = f"nothing is called {names}: there are only {_NAMES}"
        return [], [WrongRow(1, problem)]
    rows, wrong = [], []
    for cells in _read_cells(reader):
        if isinstance(cells, str):
            wrong.append(WrongRow(reader.reader.line_num, cells))
            continue
        raw = ",".join(str(value) for value in cells.values()).encode()
        row = _read_row(cells, sites)
        if isinstance(row, str):
            wrong.append(WrongRow(reader.line_num, row))
        else:
            rows.append((reader.line_num, row, raw))
    return rows, wrong


def _read_cells(reader: Iterator[dict[str, str]]) -> Iterator[dict[str, str] | str]:
    """Yield the cells of each line, or its problem when it is no CSV."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _explain_csv(error)


def _explain_csv(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell is longer than {csv.field_size_limit():,} characters"
    if "new-line" in str(error):
        return "a carriage return stands alone: end each line with LF, or CR and LF"
    return f"is not CSV: {error}"


def _read_row(cells: Mapping[str, object], sites: Sites) -> ParticipantRow | str:
    if None in cells:
        return "has more cells than the header"
    try:
        row = ParticipantRow.model_validate(
            {k: str(v).strip() for k, v in cells.items() if v is not None}
        )
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix(_PREFIX)}"
    site = sites.by_id.get(row.site)
    if site is None:
        return f"site: {row.site!r} is not in sites.yaml, which has {', '.join(sites.by_id)}"
    expected_type = site.authorities.get(row.authority)
    if expected_type is None or row.identifier_type not in ("", expected_type):
        authorities = ", ".join(f"{name} ({kind})" for name, kind in site.authorities.items())
        return f"authority, identifier_type: sites.yaml has only {authorities} for {row.site}"
    return row.model_copy(update={"identifier_type": expected_type})
