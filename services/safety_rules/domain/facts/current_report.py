"""The current fact among the reports of one result."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact, Status

RETRACTING_STATUSES = frozenset({Status.DELETED, Status.WRONG_PATIENT})
CORRECTING_STATUSES = RETRACTING_STATUSES | {Status.CORRECTED, Status.AMENDED, Status.APPENDED}

# Source: HL7 v2.5.1, table 0085; the order between them is docs/decisions/corrections.md
_STATUS_RANK = {
    Status.NO_RESULT: 0,
    Status.PENDING: 1,
    Status.PRELIMINARY: 2,
    Status.UNVERIFIED: 3,
    Status.PARTIAL: 3,
    Status.FINAL: 4,
    Status.PROMOTED: 5,
    Status.VERIFIED: 5,
    Status.CORRECTED: 6,
    Status.AMENDED: 6,
    Status.APPENDED: 6,
    Status.DELETED: 7,
    Status.WRONG_PATIENT: 7,
}


def select_current_report(candidates: Sequence[Fact]) -> Fact | None:
    """Return the current fact of *candidates* (reports of one result); None when it was retracted.

    The greatest by time of report, then status, then the sender's count, then content: never by
    arrival. A promotion (U) without a value makes the best value before it final. Of the same
    content sent twice the first report stands: a repetition is no news. A result posted on the
    wrong patient (W) is retracted from that patient alone.
    """
    ranked_facts = candidates if len(candidates) == 1 else sorted(candidates, key=rank_report)
    best = ranked_facts[-1]
    if best.status is Status.WRONG_PATIENT:
        facts_of_others = [fact for fact in ranked_facts if fact.subject != best.subject]
        return select_current_report(facts_of_others) if facts_of_others else None
    if best.status in RETRACTING_STATUSES or best.status is Status.NO_RESULT:
        return None
    if best.status is Status.PROMOTED and is_empty(best):
        facts_with_value = [
            f for f in ranked_facts if not is_empty(f) and f.status is not Status.NO_RESULT
        ]
        return (
            replace(_find_first_report(facts_with_value), status=Status.PROMOTED)
            if facts_with_value
            else None
        )
    return _find_first_report(ranked_facts)


def rank_report(fact: Fact) -> tuple[datetime, int, int, str]:
    """Return the rank of *fact* among reports of one thing: the greatest is current."""
    return fact.reported_at, _STATUS_RANK[fact.status], fact.sequence, fact.digest


def _find_first_report(ranked_facts: Sequence[Fact]) -> Fact:
    """Return the first report of the content and status of the last of *ranked_facts*."""
    best = ranked_facts[-1]
    if len(ranked_facts) == 1:
        return best
    same_reports = [f for f in ranked_facts if (f.digest, f.status) == (best.digest, best.status)]
    return min(same_reports, key=lambda fact: (fact.reported_at, fact.id))


def is_empty(fact: Fact) -> bool:
    """Return True for a result without a value or a word."""
    return isinstance(fact.body, Observation) and fact.body.value is None and not fact.body.text
