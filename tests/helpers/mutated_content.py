"""Messages and facts as nobody should send them, from a seed: small changes of sound ones."""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random

_FRAME = bytes.maketrans(b"\x0b\x1c", b"??")  # of MLLP: a message has none
_FIELDS = (
    b"",
    b'""',
    b"\x00",
    b"\x07\x1b[2J",
    b"\xff\xfe",
    b"9" * 5000,
    b"1E+1000000000",
    b"-1e-999",
    b"1,234.5",
    b"20261340256199",
    b"99991231235959+1459",
    b"00010101",
    b"\\X00\\\\E\\\\.br\\",
    b"^^^^&&&~~~",
    b"<script>alert(1)</script>",
    "\N{SNOWMAN}\N{RIGHT-TO-LEFT OVERRIDE}".encode(),
    b"D",
    b"X",
    b"ADT^A40",
    b"ORU^R01",
    b"8859/1",
)
_VALUES = (
    None,
    True,
    -1,
    0.1,
    10**400,
    "1E+1000000000000000000",
    "NaN",
    "\x00",
    "\ud83d\ude00" * 100,
    "2026-13-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    [],
    {},
    "observation",
    "P-001",
    "x" * 5000,
)

Mutation = Callable[[Random, bytes], bytes]


def _flip_bytes(random: Random, raw: bytes) -> bytes:
    content = bytearray(raw)
    for _ in range(random.randint(1, 8)):
        content[random.randrange(len(content))] = random.randrange(256)
    return bytes(content)


def _replace_field(random: Random, raw: bytes) -> bytes:
    fields = raw.split(b"|")
    fields[random.randrange(len(fields))] = random.choice(_FIELDS)
    return b"|".join(fields)


def _repeat_field(random: Random, raw: bytes) -> bytes:
    fields = raw.split(b"|")
    fields.insert(random.randrange(len(fields)), random.choice(fields))
    return b"|".join(fields)


def _shuffle_segments(random: Random, raw: bytes) -> bytes:
    header, *segments = raw.split(b"\r")
    random.shuffle(segments)
    return b"\r".join([header, *segments])


def _repeat_segments(random: Random, raw: bytes) -> bytes:
    segments = raw.split(b"\r")
    return b"\r".join(segments + random.choices(segments[1:] or segments, k=random.randint(1, 40)))


def _cut(random: Random, raw: bytes) -> bytes:
    return raw[: random.randrange(1, len(raw))]


def _mix_line_ends(random: Random, raw: bytes) -> bytes:
    ends = (b"\r", b"\n", b"\r\n", b"\n\r", b"\r\r", b"\x0c\r")
    return b"".join(line + random.choice(ends) for line in raw.split(b"\r"))


def _join_two(random: Random, raw: bytes) -> bytes:
    return raw + random.choice((b"", b"\r", b"\r\r\n")) + raw


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bytes,
    _replace_field,
    _repeat_field,
    _shuffle_segments,
    _repeat_segments,
    _cut,
    _mix_line_ends,
    _join_two,
)


def mutate_messages(messages: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield *count* HL7 v2 messages, each changed in one to three ways; none breaks its frame."""
    random = Random(seed)
    for _ in range(count):
        raw = random.choice(messages)
        for _ in range(random.randint(1, 3)):
            raw = random.choice(_MUTATIONS)(random, raw) or b"?"
        yield raw.translate(_FRAME)


def mutate_facts(facts: Sequence[dict[str, object]], count: int, seed: int) -> Iterator[bytes]:
    """Yield *count* bodies of one to five facts, a line each, of which some are no facts."""
    random = Random(seed)
    for _ in range(count):
        lines = [
            _mutate_line(random, deepcopy(random.choice(facts)))
            for _ in range(random.randint(1, 5))
        ]
        yield b"\n".join(lines)


def _mutate_line(random: Random, fact: dict[str, object]) -> bytes:
    for _ in range(random.randint(0, 3)):
        part = random.choice([fact, *(one for one in fact.values() if isinstance(one, dict))])
        keys = [*part, "unknown"]
        part[random.choice(keys)] = deepcopy(random.choice(_VALUES))
    line = json.dumps(fact).encode()
    match random.randrange(12):
        case 0:
            return _flip_bytes(random, line)
        case 1:
            return _cut(random, line)
        case 2:
            return b"[" * 5000 + line
        case 3:
            return line.replace(b"{", b'{"subject": "P-001", ', 1)  # a key that comes twice
        case _:
            return line
