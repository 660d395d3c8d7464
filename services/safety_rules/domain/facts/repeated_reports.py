"""Reports of one result that come message by message under one code and time.

A device whose clock stands still sends thousands of them. The one that stands is kept here, so that
each further report costs the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.safety_rules.domain.facts.current_report import (
    CORRECTING_STATUSES,
    is_empty,
    rank_report,
)
from services.vocabulary.fact import Fact, Status

_Content = tuple[str, Status]


@dataclass(slots=True)
class RepeatedReports:
    """The reports of one result; *best* is the greatest of them.

    *current* is what `select_current_report` chooses: the first report of the content of *best*.
    """

    best: Fact
    _first_reports: dict[_Content, Fact] = field(default_factory=dict)
    _report_ids: set[str] = field(default_factory=set)

    @classmethod
    def build(cls, facts: Iterable[Fact]) -> "RepeatedReports | None":
        """Return the reports *facts*, at least one; None when they may be about several results."""
        facts = tuple(facts)
        reports: RepeatedReports | None = cls(facts[0])
        for fact in facts:
            reports = reports and reports.extend(fact)
        return reports

    @property
    def current(self) -> Fact:
        """The report that stands."""
        return self._first_reports[_get_content(self.best)]

    def extend(self, fact: Fact) -> "RepeatedReports | None":
        """Return these with *fact*; None when it corrects something or may be another result."""
        key, best_key = fact.result_key, self.best.result_key
        report_id = key.report if key is not None else ""
        if (
            (key and key.code) != (best_key and best_key.code)
            or report_id in self._report_ids
            or fact.status in CORRECTING_STATUSES
            or fact.status is Status.NO_RESULT
            or (fact.status is Status.PROMOTED and is_empty(fact))
        ):
            return None
        if report_id:
            self._report_ids.add(report_id)
        self.best = max(self.best, fact, key=rank_report)
        content = _get_content(fact)
        first = self._first_reports.setdefault(content, fact)
        self._first_reports[content] = min(first, fact, key=_order_of_report)
        return self


def _get_content(fact: Fact) -> _Content:
    return fact.digest, fact.status


def _order_of_report(fact: Fact) -> tuple[object, str]:
    return fact.reported_at, fact.id
