"""Numbers that sites give to messages, orders and results: stored as keyed hashes.

They name a person to whoever may look them up at the site. Equal numbers have equal hashes, by
which a correction finds its result. The key is that of the hashed identifiers, which is never
rotated: by another key nothing would match any more.
"""

import re

from services.store.vault import Keys, hash_identifier
from services.vocabulary.clinical_fact import Action, Administration, Movement
from services.vocabulary.fact import Body, ResultKey

_DIGITS = 32  # hexadecimal: 128 bits tell all numbers of a trial apart
_ORDER, _MESSAGE, _CODE, _RESULT = "order", "MSH-10", "OBX-3", "OBX-1"  # never one for another
_MOVEMENT = "|movement|"
_IMPORT_SERIES = (
    "participants|import|{}|{}"  # of an import of participants: it has no number of a site
)
_EVENT = re.compile(r"(?:admission|ward|icu|outpatient|discharge|update)(?:\|(?:[0-9a-f]{32})?)?")
_RESULT_NUMBER = re.compile(r"(?:-|[0-9]{1,6})(?:\.[0-9]{1,6})?")  # OBX-1, and how often it came
_LOCAL_TIME = re.compile(r"[0-9]{0,14}(?:\.[0-9]{1,9})?")
_REPORT = re.compile(r"[0-9a-f]{0,8}")


def hash_control_id(keys: Keys, control_id: str) -> str:
    """Return the stored form of a message's number (MSH-10)."""
    return _hash(keys, _MESSAGE, control_id)


def hash_series(keys: Keys, series: str, subject: str, body: Body) -> str:
    """Return the stored form of the *series* of a fact of *subject*: its order number is hashed.

    What the rules read of a series stays: the action of a drug, and the event of a movement.
    """
    if series == _IMPORT_SERIES.format(subject, body.kind):
        return series
    if isinstance(body, Movement):
        order, separator, event = series.partition(_MOVEMENT)
        if separator and _EVENT.fullmatch(event):
            return f"{_hash(keys, _ORDER, order)}{_MOVEMENT}{event}"
    if isinstance(body, Administration):
        order, _, action = series.rpartition("|")
        if action in set(Action):
            return f"{_hash(keys, _ORDER, order)}|{action}"
    return _hash(keys, _ORDER, series)


def hash_result_key(keys: Keys, key: ResultKey, report: str) -> ResultKey:
    """Return the stored form of *key* in *report*: all but plain numbers is hashed."""
    return ResultKey(
        _hash(keys, _CODE, key.code),
        _hash_unless(_RESULT_NUMBER, keys, key.number),
        _hash_unless(_LOCAL_TIME, keys, key.local_time),
        _hash_unless(_REPORT, keys, report),
    )


def _hash_unless(harmless: re.Pattern[str], keys: Keys, text: str) -> str:
    return text if harmless.fullmatch(text) else _hash(keys, _RESULT, text)


def _hash(keys: Keys, kind: str, text: str) -> str:
    return hash_identifier(keys, "", kind, text)[:_DIGITS] if text else ""
