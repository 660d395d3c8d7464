"""Delays from receipt to record and alert, as the audit trail recorded them."""

from collections.abc import Mapping, Sequence
from statistics import quantiles

import psycopg

# The trail of audit says when a row was written, just before its transaction was committed.
_WRITTEN_AFTER = """
SELECT extract(epoch FROM audit.at::timestamptz - {since}::timestamptz)
FROM audit JOIN {table} ON audit.place = '{table}' AND audit.key = {key}
WHERE audit.action = 'inserted' AND audit.id > %s
"""
STAGES: Mapping[str, str] = {
    "fact on disk": _WRITTEN_AFTER.format(
        table="fact", since="fact.received_at", key="fact.message"
    ),
    "record stored": _WRITTEN_AFTER.format(
        table="episode",
        since="episode.recorded_at",
        key="""'["' || episode.id || '",' || episode.version || ']'""",
    ),
    "alert stored": _WRITTEN_AFTER.format(table="alert", since="alert.opened_at", key="alert.id"),
}


def delays_ms(url: str, stage: str, after_row: int) -> tuple[float, float, int]:
    """Return the median and the 99th percentile of a stage in milliseconds, and of how many.

    Args:
        url: Of the database, for psycopg.
        stage: One of `STAGES`.
        after_row: Rows count that were written after the audit row of this id.

    Raises:
        ValueError: Nothing has come that far.
    """
    with psycopg.connect(url) as connection:
        delays = [float(row[0]) * 1000 for row in connection.execute(STAGES[stage], [after_row])]
    return _median_and_99th(delays, stage)


def _median_and_99th(delays: Sequence[float], stage: str) -> tuple[float, float, int]:
    if len(delays) < 2:  # noqa: PLR2004 - a percentile is between two
        raise ValueError(f"{stage}: {len(delays)} rows, nothing to measure")
    percentiles = quantiles(delays, n=100, method="inclusive")
    return percentiles[49], percentiles[98], len(delays)
