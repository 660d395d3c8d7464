"""When insulin was given: what tells grades of hyperglycemia apart in CTCAE v5.

Source: CTCAE v5.0, Metabolism and nutrition disorders, "Hyperglycemia"; docs/decisions/grading.md
"""

from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta

from services.vocabulary.fact import Action, Administration, Fact

WITHIN = timedelta(hours=24)


def concerns(fact: Fact) -> bool:
    """Say whether *fact* is a dose of insulin, or the start of one."""
    body = fact.body
    given = isinstance(body, Administration) and body.action in (Action.GIVEN, Action.START)
    return given and isinstance(body, Administration) and body.drug == "insulin"


class InsulinDoses:
    """The doses of one participant that stand."""

    def __init__(self) -> None:
        """Start with none."""
        self._given: list[tuple[datetime, str]] = []

    def change(self, fact: Fact, *, stands: bool) -> None:
        """Let *fact*, a dose, stand, or stand no longer."""
        dose = (fact.observed_at, fact.id)
        if stands:
            insort(self._given, dose)
        else:
            self._given.remove(dose)

    def were_started(self, at: datetime, since: datetime | None) -> bool:
        """Say whether insulin, not used before *since*, was given within 24 h of *at*."""
        if since is None or not self._given or self._given[0][0] < since:
            return False
        first = bisect_left(self._given, (at - WITHIN, ""))
        return first < bisect_right(self._given, (at + WITHIN, "\uffff"))
