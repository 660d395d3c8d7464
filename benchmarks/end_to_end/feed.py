"""A feed of one shape: so many participants, so many results in each message."""

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SITE = "west"
_EVERY = timedelta(minutes=10)  # between two messages of one participant
_BASELINE_AGE = timedelta(days=80)  # before now: nothing is dated in the future
_SEVERE = 0.02  # of the values that may be severe
_TESTS = (  # local code, unit, mean, standard deviation, reference range, a severe value
    ("NEUT_ABS", "10*9/L", 3.4, 0.5, "1.5-7.5", "0.3"),
    ("PLT", "10*9/L", 210.0, 20.0, "150-400", "15"),
    ("HGB", "g/dL", 13.6, 0.5, "12.0-17.0", "6.1"),
    ("SGPT", "U/L", 25.0, 5.0, "0-40", "900"),
    ("SGOT", "U/L", 24.0, 5.0, "0-40", "900"),
    ("TBIL", "mg/dL", 0.6, 0.1, "0.2-1.2", "8.0"),
    ("ALKP", "U/L", 80.0, 8.0, "40-130", "900"),
    ("CREA", "mg/dL", 0.9, 0.08, "0.6-1.2", "5.5"),
    ("NA", "mmol/L", 140.0, 1.5, "135-145", "118"),
    ("K", "mmol/L", 4.2, 0.2, "3.5-5.1", "2.4"),
)
USUALLY = frozenset({0})  # what may be severe: the first test, so that records come and go
ALL_OTHERS = frozenset(range(1, len(_TESTS)))  # what has not been severe before: each is an alert


@dataclass(frozen=True, slots=True)
class Shape:
    """*participants* who each get every n-th message, with *results* (1 to 10) in each."""

    participants: int
    results: int


def registration(shape: Shape, clock_time: datetime) -> str:
    """Return the participants, as `aegis participants import` reads them."""
    instant = (clock_time - _BASELINE_AGE - timedelta(days=10)).isoformat(timespec="seconds")
    head = (
        "participant,site,authority,identifier_type,identifier,transplant_at,donor,sex,birth_year,"
        "weight_kg,enrolled_at"
    )
    rows = (
        f"B-{one:04d},{SITE},WMRN,MR,B{one:06d},{instant},haploidentical,male,1980,80,{instant}"
        for one in range(shape.participants)
    )
    return "\n".join((head, *rows)) + "\n"


def infusions(shape: Shape, clock_time: datetime) -> Iterator[bytes]:
    """Yield a message for each participant: the study drug starts before the first result."""
    instant = f"{(clock_time - _BASELINE_AGE - _EVERY).astimezone(UTC):%Y%m%d%H%M%S}+0000"
    for participant in range(shape.participants):
        yield _lines(
            f"MSH|^~\\&|CERNER|WEST|AEGIS|AEGIS|{instant}||RAS^O17^RAS_O17|start-{participant}|P|2.5.1",
            _patient(participant),
            f"ORC|RE||start-{participant}",
            f"RXA|0|1|{instant}|{instant}|blinatumomab^blinatumomab^L|28|ug/d||start^start^AEGIS"
            "|||||||||||CP|A",
            "RXR|IV",
        )


def messages(
    shape: Shape, numbers: range, clock_time: datetime, severe: Collection[int] = USUALLY
) -> Iterator[bytes]:
    """Yield the messages of these *numbers*, in order; the same for the same arguments.

    Args:
        shape: Of the feed.
        numbers: Of messages; who goes on where the last feed ended sends nothing late.
        clock_time: Aware; everything was observed before it.
        severe: The tests of which some values are severe, by their number.
    """
    chance = random.Random(numbers.start)  # noqa: S311 - reproducible is what is wanted
    start = (clock_time - _BASELINE_AGE).astimezone(UTC)
    for number in numbers:
        participant, turn = number % shape.participants, number // shape.participants
        results = [_result(chance, test, severe) for test in _tests(shape, turn)]
        yield _message(f"m-{number}", participant, start + turn * _EVERY, results)


def _tests(shape: Shape, turn: int) -> list[int]:
    first = turn * shape.results
    return [(first + more) % len(_TESTS) for more in range(shape.results)]


def _result(chance: random.Random, test: int, severe: Collection[int]) -> tuple[str, ...]:
    code, unit, mean, deviation, usual, worst = _TESTS[test]
    is_severe = test in severe and chance.random() < _SEVERE
    value = worst if is_severe else f"{max(0.1, chance.gauss(mean, deviation)):.2f}"
    return code, value, unit, usual


def _message(
    control: str, participant: int, sent_at: datetime, results: Iterable[Sequence[str]]
) -> bytes:
    time = f"{sent_at:%Y%m%d%H%M%S}+0000"
    return _lines(
        f"MSH|^~\\&|CERNER|WEST|AEGIS|AEGIS|{time}||ORU^R01^ORU_R01|{control}|P|2.5.1",
        _patient(participant),
        f"OBR|1||{control}|PANEL^Panel^L|||{time}",
        *(
            f"OBX|{place}|NM|{code}^{code}^L||{value}|{unit}|{usual}||||F|||{time}"
            for place, (code, value, unit, usual) in enumerate(results, 1)
        ),
    )


def _patient(participant: int) -> str:
    return f"PID|1||B{participant:06d}^^^WMRN^MR||SYNTHETIC^PERSON"


def _lines(*segments: str) -> bytes:
    return "\r".join(segments).encode() + b"\r"
