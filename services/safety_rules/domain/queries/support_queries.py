"""Data queries on support whose end nobody charted.

Source: docs/decisions/bedside.md, "Support without an end"
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.facts.current_facts import Query
from services.safety_rules.domain.grade_runs.fact_timeline import FactTimeline
from services.safety_rules.domain.syndromes.crs import CrsState, list_usual_devices
from services.safety_rules.domain.syndromes.unended_support import list_unended_supports


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
    asked_at = as_of or facts[-1].observed_at
    if died_at is not None:
        asked_at = min(asked_at, died_at.replace(hour=0, minute=0, second=0, microsecond=0))
    for support in list_unended_supports(facts, limits, rules.measures, asked_at):
        if support.name not in usual_devices:
            end = "before the discharge" if support.is_discharged else lapse
            yield Query(f"{support.name} has no charted end {end}", (support.fact.id,))
