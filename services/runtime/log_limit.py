"""A limit of repeated log lines: one for each key and interval, with the count of all events."""

from dataclasses import dataclass, field

_MOST_KEYS = 10_000


@dataclass(slots=True)
class LogLimit:
    """Events by key; those within *interval_s* after a line are counted for the next one.

    >>> limit = LogLimit(interval_s=60)
    >>> [limit.count_event("10.4.0.7", now_s) for now_s in (100, 101, 159, 160)]
    [1, 0, 0, 3]
    """

    interval_s: float = 60.0
    _lines: dict[str, tuple[float, int]] = field(default_factory=dict)

    def count_event(self, key: str, now_s: float, event_count: int = 1) -> int:
        """Return the number of events since the last line of *key*; 0: no line is due yet.

        Args:
            key: Whose lines are limited, such as an address.
            now_s: Seconds of a monotonic clock.
            event_count: Events at once.
        """
        line_s, count = self._lines.get(key, (now_s - self.interval_s, 0))
        count += event_count
        if now_s - line_s < self.interval_s:
            self._lines[key] = line_s, count
            return 0
        if len(self._lines) >= _MOST_KEYS and key not in self._lines:
            self._lines.clear()
        self._lines[key] = now_s, 0
        return count
