"""How long after it was received something was graded and told, from what the database recorded."""

from collections.abc import Mapping, Sequence
from statistics import quantiles

import psycopg

# The trail of audit says when a row was written, just before its transaction was committed.
_WRITTEN = """
SELECT extract(epoch FROM audit.at::timestamptz - {since}::timestamptz)
FROM audit JOIN {table} ON audit.place = '{table}' AND audit.key = {key}
WHERE audit.action = 'inserted' AND audit.id > %s
"""
STAGES: Mapping[str, str] = {
    "fact on disk": _WRITTEN.format(table="fact", since="fact.received_at", key="fact.message"),
    "record stored": _WRITTEN.format(
        table="episode",
        since="episode.recorded_at",
        key="""'["' || episode.id || '",' || episode.version || ']'""",
    ),
    "alert stored": _WRITTEN.format(table="alert", since="alert.opened_at", key="alert.id"),
}


def delays_ms(url: str, stage: str, since: int) -> tuple[float, float, int]:
    """Return the median and the 99th percentile of a stage in milliseconds, and of how many.

    Args:
        url: Of the database, for psycopg.
        stage: One of `STAGES`.
        since: Rows count that were written after the audit row of this id.

    Raises:
        ValueError: Nothing has come that far.
    """
    with psycopg.connect(url) as connection:
        found = [float(row[0]) * 1000 for row in connection.execute(STAGES[stage], [since])]
    return _median_and_99th(found, stage)


def _median_and_99th(found: Sequence[float], stage: str) -> tuple[float, float, int]:
    if len(found) < 2:  # noqa: PLR2004 - a percentile is between two
        raise ValueError(f"{stage}: {len(found)} rows, nothing to measure")
    percentiles = quantiles(found, n=100, method="inclusive")
    return percentiles[49], percentiles[98], len(found)
