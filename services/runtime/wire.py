"""The vocabulary as JSON: the only use of a validation library for it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import Discriminator, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from services.runtime.canonical_json import digest_canonical, write_canonical
from services.vocabulary.alert import AlertKind, DeathDetail, Detail, QuarantineDetail
from services.vocabulary.clinical_fact import Enrolment
from services.vocabulary.data_query import QueryPeriod
from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.fact import Body, Fact
from services.vocabulary.graft_fact import ChronicGvhdScores, GvhdSigns
from services.vocabulary.number_text import LONGEST_STORED, STORED_NUMBER
from services.vocabulary.quantity import Quantity
from services.vocabulary.recommendation import Advice
from services.vocabulary.standing import Standing

__all__ = (
    "Unreadable",
    "WireFact",
    "digest_canonical",
    "digest_clinical",
    "make_fact_schema",
    "read_advice_list",
    "read_decision",
    "read_detail",
    "read_episode_content",
    "read_fact",
    "read_query_periods",
    "read_standing",
    "write_canonical",
    "write_fact",
)

T = TypeVar("T")

_NO_OFFSET = timedelta(0)
_DECIMAL = re.compile(STORED_NUMBER)


def _read_decimal(text: object) -> Decimal:
    """Return the number in *text* with every digit; a JSON number would have lost some."""
    if isinstance(text, Decimal):
        return text
    if not isinstance(text, str) or len(text) > LONGEST_STORED or not _DECIMAL.fullmatch(text):
        raise PydanticCustomError("decimal_text", "a decimal number written as a string")
    return _intern_decimal(text)


@lru_cache(maxsize=10_000)
def _intern_decimal(text: str) -> Decimal:
    """Return one shared number for a text: limits of normal recur in every result."""
    return Decimal(text)


def _normalise_zone(instant: datetime) -> datetime:
    """Return *instant* with the one ``UTC`` object: instants of one zone compare fastest."""
    return instant.replace(tzinfo=UTC) if instant.utcoffset() == _NO_OFFSET else instant


class _FactSchema:
    """The schema of facts: ``body.kind`` is required and selects the body; decimals are strings."""

    @staticmethod
    def __get_pydantic_core_schema__(source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        exact = core_schema.no_info_plain_validator_function(
            _read_decimal,
            json_schema_input_schema=core_schema.str_schema(
                pattern=f"^{STORED_NUMBER}$", max_length=LONGEST_STORED
            ),
            serialization=core_schema.to_string_ser_schema(when_used="always"),
        )
        for part in (Quantity, Enrolment, GvhdSigns, ChronicGvhdScores):
            _replace_decimals(handler.resolve_ref_schema(handler.generate_schema(part)), exact)
        tagged_body = handler.generate_schema(Annotated[Body, Discriminator("kind")])
        plain: Any = handler.resolve_ref_schema(schema)
        for field in plain["schema"]["fields"]:
            if field["name"] == "body":
                field["schema"] = tagged_body
            elif field["schema"]["type"] == "datetime":
                utc = core_schema.no_info_after_validator_function(_normalise_zone, field["schema"])
                field["schema"] = utc
        return schema


def _replace_decimals(schema: Any, exact: CoreSchema) -> None:  # noqa: ANN401  nested dicts
    for key, part in schema.items():
        if key == "schema" and part["type"] == "decimal":
            schema["schema"] = exact
        elif key == "schema":
            _replace_decimals(part, exact)
        elif key == "fields" and schema["type"] == "dataclass-args":
            for field in part:
                _replace_decimals(field, exact)


WireFact = Annotated[Fact, _FactSchema]

_ADAPTERS: dict[type[object], TypeAdapter[Any]] = {}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be read: place and kind of the problem, never its content."""

    where: str
    problem: str


_CLINICAL = {"subject", "observed_at", "body", "status", "series"}
# Fields that came later: where they say nothing, a fact has the digest that it had before.
_LATER_FIELDS = ("peripheral", "planned")


def digest_clinical(fact: Fact) -> str:
    """Return the sha256 of the clinical content of *fact*, in 64 hexadecimal digits.

    Sender, message and time of the report are left out: a repeated fact has the same digest.
    """
    empty_fields = {name for name in _LATER_FIELDS if getattr(fact.body, name, "") is None}
    content = _fact_adapter().dump_json(fact, include=_CLINICAL, exclude={"body": empty_fields})
    return hashlib.sha256(content).hexdigest()


def write_fact(fact: Fact) -> bytes:
    """Return *fact* as one JSON object on one line; decimals are strings, so no digit is lost."""
    return _fact_adapter().dump_json(fact)


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
    try:
        return _fact_adapter().validate_json(record, strict=True, extra="forbid")
    except ValidationError as error:
        return _find_first_problem(error)


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


def read_detail(kind: AlertKind, text: str) -> Detail:
    """Return the detail of an alert of *kind* from its canonical JSON.

    Raises:
        ValueError: *text* is something else.
    """
    match kind:
        case AlertKind.BOUNDARY_REACHED | AlertKind.BOUNDARY_LIKELY | AlertKind.BOUNDARY_AT_UPPER:
            return _read_record(Decision, text)
        case AlertKind.EPISODE | AlertKind.POSSIBLE:
            return _read_record(EpisodeContent, text)
        case AlertKind.DEATH:
            return _read_record(DeathDetail, text)
        case AlertKind.DOSE | AlertKind.HYS_LAW | AlertKind.DEVIATION:
            return _read_record(Advice, text)
        case AlertKind.QUARANTINE:
            return _read_record(QuarantineDetail, text)


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


def make_fact_schema() -> dict[str, object]:
    """Return the JSON Schema of one fact as a person or a site sends it.

    ``id``, ``digest`` and ``reported_at`` may be left out: ingest fills them in.
    """
    schema: dict[str, Any] = _fact_adapter().json_schema(mode="validation")
    filled_in = {"id", "digest", "reported_at"}
    schema["required"] = [name for name in schema["required"] if name not in filled_in]
    for part in (schema, *schema["$defs"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
            if "kind" in part["properties"]:
                part["required"] = [*part.get("required", ()), "kind"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:aegis:fact:1",
        **schema,
    }


def _read_record(kind: type[T], text: str) -> T:
    try:
        return _adapter(kind).validate_json(text, strict=True, extra="forbid")
    except ValidationError as error:
        problem = _find_first_problem(error)
        raise ValueError(f"unreadable record at {problem.where!r}: {problem.problem}") from None


@cache
def _fact_adapter() -> TypeAdapter[Fact]:
    """Return the adapter of facts, made at its first use: what reads none starts sooner."""
    return TypeAdapter(WireFact)


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Return the adapter of *kind*, made at its first use."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    adapter: TypeAdapter[T] = _ADAPTERS[kind]
    return adapter


def _find_first_problem(error: ValidationError) -> Unreadable:
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    return Unreadable(".".join(map(str, first["loc"])), first["type"])
