"""Messages per second from HL7 v2 bytes to facts, on one core.

Measured: `services.ingest.domain.hl7.read.read`, from the bytes of one message to drafts of facts:
characters decoded, codes, units, times and limits understood, nothing looked up in the database.

The floor: the same bytes split at segment and field separators, and nothing more. No reader in
Python can do less, since every field that is read must first be found.

Beside it: ``hl7.parse`` of the general ``hl7`` library, which splits down to subcomponents and
leaves every meaning to its caller.
"""

from collections.abc import Sequence

import hl7

from benchmarks.material import STUDY, Material
from benchmarks.measuring import Measure, per_core_second
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.ingest.domain.hl7.read import read_message

_MESSAGES = 1000
_PANEL = 900  # bytes: what is longer is a laboratory panel


def measures(material: Material) -> list[Measure]:
    """Return the whole feed, and its laboratory panels alone."""
    feed = material.trial.messages
    panels = [message for message in feed if len(message) >= _PANEL]
    return [
        _measure("HL7 to facts, whole feed", feed[:_MESSAGES]),
        _measure("HL7 to facts, laboratory panels", panels[:_MESSAGES]),
    ]


def _measure(name: str, messages: Sequence[bytes]) -> Measure:
    tables = load_code_tables()
    sites = load_sites(STUDY, tables)
    size = sum(map(len, messages)) // len(messages)

    def to_facts() -> None:
        for message in messages:
            read_message(message, sites, tables)

    def split_bytes() -> None:
        for message in messages:
            for segment in message.split(b"\r"):
                segment.split(b"|")

    def parse_with_library() -> None:
        for message in messages:
            hl7.parse(message.decode())

    return Measure(
        f"{name} (mean {size} bytes)",
        "messages/s",
        lambda: per_core_second(len(messages), to_facts),
        {
            "floor: bytes split only": lambda: per_core_second(len(messages), split_bytes),
            "hl7 library, parse only": lambda: per_core_second(len(messages), parse_with_library),
        },
    )
