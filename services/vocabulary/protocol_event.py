"""What a rule of the protocol is about."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EventPattern:
    """What counts: exactly one of the four is given. *grade_at_least* goes with the first three."""

    scale: str = ""  # e.g. astct-2019.crs
    term: str = ""  # a criterion's slug, e.g. seizure
    term_set: str = ""  # a name in the protocol's term sets
    fact: Literal["nrm", "relapse", "death", ""] = ""
    grade_at_least: int = 1
