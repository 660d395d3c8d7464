"""Messages per second from HL7 v2 bytes to facts, on one core.

Measured: `services.ingest.domain.hl7.read.read`, from the bytes of one message to drafts of facts:
characters decoded, codes, units, times and limits understood, nothing looked up in the database.
The times are other ones in each round: no time is read that was read before.

The floor: the same bytes split at segment and field separators, and nothing more. No reader in
Python can do less, since every field that is read must first be found.

Beside it: ``hl7.parse`` of the general ``hl7`` library, which splits down to subcomponents and
leaves every meaning to its caller.
"""

import re
from collections.abc import Callable, Sequence
from itertools import count

import hl7

from benchmarks.material import STUDY, Material
from benchmarks.measuring import Measure, per_core_second
from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.adapters.study_sites import load_sites
from services.ingest.domain.hl7.read import read_message

_MESSAGES = 1000
_TIME = re.compile(rb"(?<=[|^])(20[0-9]{8})[0-9]{4}(?=[|^+\r-]|$)")
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
    rounds = count()

    def read_with(read_one: Callable[[bytes], object]) -> float:
        feed = _move_times(messages, next(rounds))

        def read_all() -> None:
            for message in feed:
                read_one(message)

        return per_core_second(len(feed), read_all)

    return Measure(
        f"{name} (mean {size} bytes)",
        "messages/s",
        lambda: read_with(lambda message: read_message(message, sites, tables)),
        {
            "floor: bytes split only": lambda: read_with(_split_bytes),
            "hl7 library, parse only": lambda: read_with(lambda one: hl7.parse(one.decode())),
        },
    )


def _split_bytes(message: bytes) -> None:
    for segment in message.split(b"\r"):
        segment.split(b"|")


def _move_times(messages: Sequence[bytes], number: int) -> list[bytes]:
    """Return *messages* with minutes and seconds of round *number*, as no round had them before."""
    return [
        _TIME.sub(rb"\g<1>%02d%02d" % ((number + place) % 60, number % 60), message)
        for place, message in enumerate(messages)
    ]
