"""Data queries on support whose end nobody charted.

Source: docs/decisions/bedside.md, "Support without an end"
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.grade_runs.fact_timeline import FactTimeline
from services.safety_rules.domain.syndromes.crs import CrsState, list_usual_devices
from services.safety_rules.domain.syndromes.unended_support import (
    find_next_lapse,
    list_unended_supports,
)
from services.vocabulary.data_query import Query


def query_unended_supports(
    timeline: FactTimeline[CrsState],
    rules: Rules,
    as_of: datetime | None,
    died_at: datetime | None,
) -> Iterator[Query]:
    """Yield a query for each vasopressor and device without an end, unless usual before exposure.

    Args:
        timeline: The facts of the bedside.
        rules: The running rules.
        as_of: When it is asked; None: at the last of these facts.
        died_at: Nobody charts an end on the day of death, which may have no time; None: alive.
    """
    facts = timeline.list_facts()
    if not facts:
        return
    limits = rules.protocol.bedside
    lapse = f"within {limits.support_stays / timedelta(hours=1):g} h of its last charting"
    usual_devices = list_usual_devices(timeline.compute_state())
    asked_at = _end_before_death(as_of or facts[-1].observed_at, died_at)
    for support in list_unended_supports(facts, limits, rules.measures, asked_at):
        if support.name not in usual_devices:
            end = "before the discharge" if support.is_discharged else lapse
            yield Query(f"{support.name} has no charted end {end}", (support.fact.id,))


def find_next_change(
    timeline: FactTimeline[CrsState], rules: Rules, as_of: datetime, died_at: datetime | None
) -> datetime | None:
    """Return the first instant after *as_of* from which other supports may be queried.

    None: there is none without another fact. Arguments as of `query_unended_supports`.
    """
    facts = timeline.list_facts()
    later_instants = [fact.observed_at for fact in facts if fact.observed_at > as_of]
    lapse = find_next_lapse(facts, rules.protocol.bedside, rules.measures, as_of)
    changes_at = min(later_instants + ([lapse] if lapse else []), default=None)
    if changes_at is None or _end_before_death(changes_at, died_at) != changes_at:
        return None
    return changes_at


def _end_before_death(instant: datetime, died_at: datetime | None) -> datetime:
    """Return *instant*, or where the day of death begins if that is earlier."""
    if died_at is None:
        return instant
    return min(instant, died_at.replace(hour=0, minute=0, second=0, microsecond=0))
