"""The overlap of two records in time."""

from datetime import UTC, datetime, timedelta

from services.vocabulary.episode import EpisodeContent

_OPEN_END = datetime.max.replace(tzinfo=UTC)


def find_overlap(first: EpisodeContent, second: EpisodeContent) -> timedelta | None:
    """Return the time that two records share, 0 or more; None: no time, or other sides of exposure.

    Records of one onset share it, even when no time follows.
    """
    if first.before_exposure != second.before_exposure:
        return None
    start = max(first.onset_at, second.onset_at)
    end = min(first.resolved_at or _OPEN_END, second.resolved_at or _OPEN_END)
    shares_time = start < end or first.onset_at == second.onset_at
    return max(end - start, timedelta(0)) if shares_time else None
