"""Patterns of the events that a rule of the protocol counts."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EventPattern:
    """A pattern of events: exactly one of the first four is given.

    *grade_at_least* applies to the first three, *counts_outside_inducer_window* to a scale: True
    when a record counts whose signs all lie outside the windows of its causes; None: the protocol
    does not say, so it counts only at the upper end, until a person confirms it.
    """

    scale: str = ""  # e.g. astct-2019.crs
    term: str = ""  # a criterion's slug, e.g. seizure
    term_set: str = ""  # a name in the protocol's term sets
    fact: Literal["nrm", "relapse", "death", ""] = ""
    grade_at_least: int = 1
    counts_outside_inducer_window: bool | None = None
