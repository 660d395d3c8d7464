"""A process has a descriptor for each connection that it may take, or does not start."""

import resource

import pytest

from services.cli.command import CommandError
from services.cli.process.open_files import require_descriptors
from services.runtime.limit_settings import LimitSettings

INFINITE = resource.RLIM_INFINITY
# connections on each port, ports, soft and hard limit; the soft limit afterwards, None: it ends
CASES = {
    "the usual limit is enough": (400, 2, 1024, 4096, 1024),
    "just enough": (400, 2, 928, 928, 928),
    "one too few, and no more to be had": (400, 2, 927, 927, None),
    "one too few, and the system allows more": (400, 2, 927, 928, 928),
    "a third port": (400, 3, 1024, 4096, 1328),
    "no limit at all": (9999, 3, INFINITE, INFINITE, INFINITE),
    "a soft limit alone": (400, 2, 256, INFINITE, 928),
    "many connections": (100_000, 2, 1024, 1_048_576, 200_128),
    "too many connections": (100_000, 2, 1024, 65_536, None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_limit_is_raised_as_far_as_it_goes(monkeypatch, case):
    connections, ports, soft, hard, result = case
    limit = [soft, hard]
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: tuple(limit))
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, new: limit.__setitem__(slice(2), new))
    limits = LimitSettings(connections=connections)
    if result is None:
        with pytest.raises(CommandError, match=r"ulimit -n.*AEGIS_CONNECTIONS to \d+ at most"):
            require_descriptors(limits, ports)
    else:
        require_descriptors(limits, ports)
    assert limit == [result or soft, hard]
