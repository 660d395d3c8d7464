"""The vocabulary as JSON: facts, and the records that are made of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar

import msgspec

from services.runtime import fact_forms
from services.runtime.fact_schema import rewrite_fact
from services.runtime.full_facts import write_full_body, write_full_fact
from services.vocabulary.alert import AlertKind, DeathDetail, Detail, QuarantineDetail
from services.vocabulary.data_query import QueryPeriod
from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Body, Fact, Status
from services.vocabulary.operations import ClockDetail, DailyNoteDetail, SilenceDetail
from services.vocabulary.recommendation import Advice
from services.vocabulary.standing import Standing

T = TypeVar("T")

_ADAPTERS: dict[type[object], Any] = {}
# Fields that came later: where they say nothing, a fact has the digest that it had before.
_LATER_FIELDS = (b',"peripheral":null', b',"planned":null')
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be read: place and kind of the problem, never its content."""

    where: str
    problem: str


class _ClinicalContent(msgspec.Struct):
    subject: str
    observed_at: datetime
    body: msgspec.Raw
    status: Status
    series: str


def digest_clinical(
    subject: str,
    observed_at: datetime,
    body: Body,
    status: Status = Status.FINAL,
    series: str = "",
) -> str:
    """Return the sha256 of the clinical content of a fact, in 64 hexadecimal digits.

    Id, sender and time of the report are left out: a repeated fact has the same digest.
    """
    body_text = write_full_body(body)
    for field in _LATER_FIELDS:
        body_text = body_text.replace(field, b"")
    content = _ClinicalContent(subject, observed_at, msgspec.Raw(body_text), status, series)
    return hashlib.sha256(_encode(content)).hexdigest()


def write_fact(fact: Fact) -> bytes:
    """Return *fact* as one JSON object on one line; decimals are strings, so no digit is lost."""
    return write_full_fact(fact)


def write_compact_fact(fact: Fact) -> bytes:
    """Return *fact* without the fields that say what they say by default, as the journal keeps it.

    Every release reads such a fact, as it reads one of a sender who left them out.

    >>> from datetime import UTC
    >>> from services.vocabulary.clinical_fact import Observation
    >>> at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    >>> fact = Fact("f1", "P-1", at, at, Observation("sbp", text="high"), "d")
    >>> write_compact_fact(fact).decode()[101:]
    '"body":{"kind":"observation","measure":"sbp","text":"high"},"digest":"d"}'
    """
    return _encode(fact)


def read_fact(record: bytes | str) -> Fact | Unreadable:
    """Return the fact in *record*, or its first problem.

    >>> good = b'''{"id": "f1", "subject": "P-007", "digest": "d", "body": {
    ...     "kind": "observation", "measure": "neutrophils",
    ...     "value": {"value": "0.490", "unit": "10*9/L"}},
    ...     "observed_at": "2026-03-01T08:00:00Z", "reported_at": "2026-03-01T09:00:00Z"}'''
    >>> read_fact(good).body.value
    Quantity(value=Decimal('0.490'), unit='10*9/L', censoring=None)
    >>> read_fact(good.replace(b'"unit"', b'"units"'))
    Unreadable(where='body.observation.value.unit', problem='missing')
    >>> read_fact(b"OBX|1|NM|751-8")
    Unreadable(where='', problem='json_invalid')
    """
    read = fact_forms.make_strict_forms().read_fact
    try:
        return read(record)
    except fact_forms.UNREADABLE:
        rewritten = rewrite_fact(record)
    if isinstance(rewritten, tuple):
        return Unreadable(*rewritten)
    try:
        return read(rewritten)
    except fact_forms.UNREADABLE as error:
        return locate_problem(error)


def locate_problem(error: Exception) -> Unreadable:
    """Return the place and the problem that the decoder names in *error*.

    >>> locate_problem(msgspec.ValidationError("Expected `str`, got `int` - at `$.runs[0].facts`"))
    Unreadable(where='runs[0].facts', problem='Expected `str`, got `int`')
    """
    problem, _, place = str(error).partition(" - at `")
    return Unreadable(place.strip("$.`"), problem)


def read_episode_content(text: str) -> EpisodeContent:
    """Return the content of an episode from its canonical JSON.

    Raises:
        ValueError: *text* is something else.
    """
    return _read_record(EpisodeContent, text)


@lru_cache(maxsize=16_384)  # each look at a study reads every standing, of which few are new
def read_standing(text: str) -> Standing:
    """Return the standing from its canonical JSON; the same texts are read many times.

    Raises:
        ValueError: *text* is something else.
    """
    return _read_record(Standing, text)


def read_decision(text: str) -> Decision:
    """Return the decision from its canonical JSON.

    Raises:
        ValueError: *text* is something else.
    """
    return _read_record(Decision, text)


_DETAILS: Mapping[AlertKind, type[Detail]] = {
    AlertKind.BOUNDARY_REACHED: Decision,
    AlertKind.BOUNDARY_LIKELY: Decision,
    AlertKind.BOUNDARY_AT_UPPER: Decision,
    AlertKind.EPISODE: EpisodeContent,
    AlertKind.POSSIBLE: EpisodeContent,
    AlertKind.DEATH: DeathDetail,
    AlertKind.DOSE: Advice,
    AlertKind.HYS_LAW: Advice,
    AlertKind.DEVIATION: Advice,
    AlertKind.QUARANTINE: QuarantineDetail,
    AlertKind.SAE_CLOCK: ClockDetail,
    AlertKind.SITE_SILENT: SilenceDetail,
    AlertKind.PARTICIPANT_SILENT: SilenceDetail,
    AlertKind.ENGINE_SILENT: SilenceDetail,
    AlertKind.DAILY_NOTE: DailyNoteDetail,
}


def read_detail(kind: AlertKind, text: str) -> Detail:
    """Return the detail of an alert of *kind* from its canonical JSON.

    Raises:
        ValueError: *text* is something else.
    """
    detail: Detail = _read_record(_DETAILS[kind], text)
    return detail


def read_advice_list(text: str) -> tuple[Advice, ...]:
    """Return recommendations from their canonical JSON.

    Raises:
        ValueError: *text* is something else.
    """
    return _read_record(tuple[Advice, ...], text)


def read_query_periods(text: str) -> tuple[QueryPeriod, ...]:
    """Return the periods of data queries from their canonical JSON.

    Raises:
        ValueError: *text* is something else.
    """
    return _read_record(tuple[QueryPeriod, ...], text)


def _read_record(kind: type[T], text: str) -> T:
    try:
        record: T = _load_adapter(kind).validate_json(text, strict=True, extra="forbid")
    except ValueError as error:  # of the library, which says more than may be shown
        problem = _find_first_problem(error)
        raise ValueError(f"unreadable record at {problem.where!r}: {problem.problem}") from None
    return record


def _load_adapter(kind: type[object]) -> Any:  # noqa: ANN401 - of a library loaded only here
    """Return the reader of records of *kind*, made at its first use: others start sooner."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = import_module("pydantic").TypeAdapter(kind)
    return _ADAPTERS[kind]


def _find_first_problem(error: Any) -> Unreadable:  # noqa: ANN401 - as above
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    return Unreadable(".".join(map(str, first["loc"])), first["type"])
