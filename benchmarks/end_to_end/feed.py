"""A feed of one shape: so many participants, so many results in each message."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SITE = "west"
_EVERY = timedelta(minutes=10)  # between two messages of one participant
_SINCE = timedelta(days=80)  # before now: nothing is dated in the future
_SEVERE = 0.01  # of the neutrophil counts are of grade 4
_TESTS = (  # local code, unit, mean, standard deviation, reference range
    ("NEUT_ABS", "10*9/L", 3.4, 0.5, "1.5-7.5"),
    ("PLT", "10*9/L", 210.0, 20.0, "150-400"),
    ("HGB", "g/dL", 13.6, 0.5, "12.0-17.0"),
    ("SGPT", "U/L", 25.0, 5.0, "0-40"),
    ("SGOT", "U/L", 24.0, 5.0, "0-40"),
    ("TBIL", "mg/dL", 0.6, 0.1, "0.2-1.2"),
    ("ALKP", "U/L", 80.0, 8.0, "40-130"),
    ("CREA", "mg/dL", 0.9, 0.08, "0.6-1.2"),
    ("NA", "mmol/L", 140.0, 1.5, "135-145"),
    ("K", "mmol/L", 4.2, 0.2, "3.5-5.1"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """*participants* who each get every n-th message, with *results* (1 to 10) in each."""

    participants: int
    results: int


def registration(shape: Shape, now: datetime) -> str:
    """Return the participants, as `aegis participants import` reads them."""
    at = (now - _SINCE - timedelta(days=10)).isoformat(timespec="seconds")
    head = (
        "participant,site,authority,identifier_type,identifier,transplant_at,donor,sex,birth_year,"
        "weight_kg,enrolled_at"
    )
    rows = (
        f"B-{one:04d},{SITE},WMRN,MR,B{one:06d},{at},haploidentical,male,1980,80,{at}"
        for one in range(shape.participants)
    )
    return "\n".join((head, *rows)) + "\n"


def messages(shape: Shape, count: int, now: datetime, seed: int = 1) -> Iterator[bytes]:
    """Yield *count* messages; the same for the same arguments.

    Args:
        shape: Of the feed.
        count: Of messages.
        now: Aware; everything was observed before it.
        seed: Of the values.
    """
    drawn = random.Random(seed)  # noqa: S311 - reproducible is what is wanted
    start = (now - _SINCE).astimezone(UTC)
    for number in range(count):
        who, turn = number % shape.participants, number // shape.participants
        at = start + turn * _EVERY
        yield _message(
            f"{seed}-{number}", who, at, [_result(drawn, t) for t in _tests(shape, turn)]
        )


def _tests(shape: Shape, turn: int) -> list[int]:
    first = turn * shape.results
    return [(first + more) % len(_TESTS) for more in range(shape.results)]


def _result(drawn: random.Random, test: int) -> tuple[str, str, str, str]:
    code, unit, mean, deviation, usual = _TESTS[test]
    value = (
        0.3 if test == 0 and drawn.random() < _SEVERE else max(0.1, drawn.gauss(mean, deviation))
    )
    return code, f"{value:.2f}", unit, usual


def _message(
    control: str, who: int, at: datetime, results: list[tuple[str, str, str, str]]
) -> bytes:
    time = f"{at:%Y%m%d%H%M%S}+0000"
    head = (
        f"MSH|^~\\&|CERNER|WEST|AEGIS|AEGIS|{time}||ORU^R01^ORU_R01|{control}|P|2.5.1",
        f"PID|1||B{who:06d}^^^WMRN^MR||SYNTHETIC^PERSON",
        f"OBR|1||{control}|PANEL^Panel^L|||{time}",
    )
    lines = (
        f"OBX|{place}|NM|{code}^{code}^L||{value}|{unit}|{usual}||||F|||{time}"
        for place, (code, value, unit, usual) in enumerate(results, 1)
    )
    return "\r".join((*head, *lines)).encode() + b"\r"
