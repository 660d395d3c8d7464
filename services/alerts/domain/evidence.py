"""The facts behind an alert that its detail does not hold, for its words."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Evidence:
    """The values behind a grade, and the terms of the events that a rule counts.

    Args:
        values: Measure, value and unit of the results that made the worst grade.
        terms: Term of the counted event, by pseudonym.
    """

    values: tuple[str, ...] = ()
    terms: Mapping[str, str] = field(default_factory=dict)


NO_EVIDENCE = Evidence()
