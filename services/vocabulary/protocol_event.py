"""Patterns of the events that a rule of the protocol counts."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EventPattern:
    """A pattern of events: exactly one of the first four is given.

    *grade_at_least* applies to the first three.
    """

    scale: str = ""  # e.g. astct-2019.crs
    term: str = ""  # a criterion's slug, e.g. seizure
    term_set: str = ""  # a name in the protocol's term sets
    fact: Literal["nrm", "relapse", "death", ""] = ""
    grade_at_least: int = 1
