"""Facts as people and sites write them: the JSON Schema of one, and the place of what is wrong.

`services.runtime.fact_forms` reads facts sooner, and says less of what it cannot read.
"""

import re
from collections.abc import Mapping
from dataclasses import field, make_dataclass
from decimal import Decimal
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

from msgspec import Struct, structs
from pydantic import (
    Discriminator,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from services.vocabulary.fact import Body, Fact, ResultKey
from services.vocabulary.number_text import LONGEST_STORED, STORED_NUMBER
from services.vocabulary.quantity import Quantity

_NUMBER = re.compile(STORED_NUMBER)


def make_fact_schema() -> dict[str, object]:
    """Return the JSON Schema of one fact as a person or a site sends it.

    ``id``, ``digest`` and ``reported_at`` may be left out: ingest fills them in.
    """
    schema: dict[str, Any] = _make_adapter().json_schema(mode="validation")
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


def rewrite_fact(record: bytes | str) -> bytes | tuple[str, str]:
    """Return the fact in *record* as we write it, or place and kind of its first problem.

    A time may be written in more ways of ISO 8601 than one.
    """
    adapter = _make_adapter()
    try:
        return adapter.dump_json(adapter.validate_json(record, strict=True, extra="forbid"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        return ".".join(map(str, first["loc"])), first["type"]


def _check_number(text: object) -> Decimal:
    """Return the number in *text* with every digit; a JSON number would have lost some."""
    if not isinstance(text, str) or len(text) > LONGEST_STORED or not _NUMBER.fullmatch(text):
        raise PydanticCustomError("decimal_text", "a decimal number written as a string")
    return Decimal(text)


_Number = Annotated[
    Decimal,
    PlainValidator(_check_number),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{STORED_NUMBER}$", "maxLength": LONGEST_STORED}
    ),
]


@cache
def _make_adapter() -> TypeAdapter[Any]:
    """Return the adapter of facts, made at its first use: what reads none starts sooner."""
    types: dict[object, object] = {Decimal: _Number, Decimal | None: _Number | None}
    types[Quantity | None] = _make_twin(Quantity, types) | None
    types[ResultKey | None] = _make_twin(ResultKey, types) | None
    bodies: Any = reduce(or_, (_make_twin(kind, types) for kind in get_args(Body)))
    types[Body] = Annotated[bodies, Discriminator("kind")]
    return TypeAdapter(_make_twin(Fact, types))


def _make_twin(kind: type[Struct], types: Mapping[object, object]) -> type:
    """Return a dataclass like *kind*, for a library that knows dataclasses only.

    Its tag is a field. Fields of *types* have another type in it.
    """
    fields: list[Any] = [
        (
            part.name,
            types.get(part.type, part.type),
            *(() if part.required else (field(default=part.default),)),
        )
        for part in structs.fields(kind)
    ]
    config = kind.__struct_config__
    if config.tag_field is not None:
        fields.append((config.tag_field, Literal[config.tag], field(default=config.tag)))
    namespace = {
        name: getattr(kind, name) for name in ("__doc__", "__post_init__") if hasattr(kind, name)
    }
    return make_dataclass(kind.__name__, fields, namespace=namespace)
