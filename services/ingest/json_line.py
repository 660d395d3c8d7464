"""The JSON object of a line, refused where two readers could take it for two different ones."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from services.ingest.domain.quoted_text import quote_in

_NO_OBJECT = "is no JSON object: write one fact to a line"
_NUL = "holds the character NUL (\\u0000), which no database takes in a text"
_HALF_PAIR = "holds {}, half of a surrogate pair: write both halves, or the character in UTF-8"
_REPEATED_KEY = "the key '{}' comes twice in one object: write it once"
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _RepeatedKeyError(ValueError):
    """An object has one of its keys twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def read_json_object(line: bytes) -> Mapping[str, object] | tuple[str, ...]:
    r"""Return the entries of *line*, or its problem, as told to the sender and then masked.

    >>> read_json_object(b'{"subject": "P-001"}')
    {'subject': 'P-001'}
    >>> read_json_object(b'{"body": {"kind": "death", "kind": "relapse"}}')[0]
    "the key 'kind' comes twice in one object: write it once"
    >>> read_json_object(b'{"detail": "\\ud83d"}')
    ('holds \\ud83d, half of a surrogate pair: write both halves, or the character in UTF-8',)

    Args:
        line: In UTF-8.
    """
    try:
        entries = _DECODER.decode(line.decode("utf-8-sig"))
    except _RepeatedKeyError as error:
        return quote_in(_REPEATED_KEY, error.key)
    except (ValueError, RecursionError):
        return (_NO_OBJECT,)
    if not isinstance(entries, Mapping):
        return (_NO_OBJECT,)
    if _ESCAPED_NUL.search(line):
        return (_NUL,)
    if _ESCAPED_SURROGATE.search(line) and (half := _find_half_pair(entries)):
        return (_HALF_PAIR.format(half),)
    return entries


def _make_object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Return *pairs* as a dictionary, of which the last of two would silently win.

    Raises:
        _RepeatedKeyError: A key comes twice.
    """
    entries = dict(pairs)
    if len(entries) < len(pairs):
        ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise _RepeatedKeyError(key)
    return entries


def _find_half_pair(entries: Mapping[str, object]) -> str | None:
    r"""Return the first lone surrogate in a key or a text of *entries*, as its JSON escape."""
    try:
        json.dumps(entries, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        return f"\\u{ord(error.object[error.start]):04x}"
    return None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_make_object
)  # made once: it takes longer than a line
