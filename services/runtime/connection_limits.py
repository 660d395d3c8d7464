"""The connections of one port: not more at once than it can bear, nor of one address."""

import time
from collections import Counter
from dataclasses import dataclass, field

from services.runtime import log
from services.runtime.log_limit import LogLimit
from services.vocabulary.count_text import name_count

_log = log.make_logger("ingest")


@dataclass(slots=True)
class ConnectionLimits:
    """The number of open connections of one port, in all and by address.

    Args:
        total: Connections at once.
        most_per_address: Of these, connections of one address.

    >>> limits = ConnectionLimits(total=2, most_per_address=1)
    >>> limits.find_problem("10.4.0.7"), limits.open("10.4.0.7")
    ('', True)
    >>> limits.find_problem("10.4.0.7")
    'it has 1 connection already (AEGIS_CONNECTIONS_PER_ADDRESS)'
    >>> limits.close("10.4.0.7")
    >>> limits.find_problem("10.4.0.7")
    ''
    """

    total: int = 400
    most_per_address: int = 50
    _counts: Counter[str] = field(default_factory=Counter)
    _refusals: LogLimit = field(default_factory=LogLimit)

    def open(self, address: str) -> bool:
        """Count a connection of *address*; False, and a line of the log, when there are too many.

        The log has one line for each address and minute.
        """
        if problem := self.find_problem(address):
            if count := self._refusals.count_event(address, time.monotonic()):
                _log.warning("connection_refused", host=address, count=count, problem=problem)
            return False
        self._counts[address] += 1
        return True

    def close(self, address: str) -> None:
        """Count a connection of *address* no longer."""
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    def find_problem(self, address: str) -> str:
        """Return the reason for which *address* may open no further connection, or nothing."""
        if self._counts[address] >= self.most_per_address:
            connections = name_count(self.most_per_address, "connection")
            return f"it has {connections} already (AEGIS_CONNECTIONS_PER_ADDRESS)"
        if self._counts.total() >= self.total:
            connections = name_count(self.total, "connection")
            return f"the port has {connections} already (AEGIS_CONNECTIONS)"
        return ""
