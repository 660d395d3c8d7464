"""``python -m deploy.health_check``: the health of the container that it runs in, by its exit code.

A process that serves is healthy when its ``/readyz`` says so: it commits while there is work,
whatever its role. A command that ends by itself is healthy while it runs: nobody listens there.
"""

import os
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

_FIRST_PROCESS = Path("/proc/1/cmdline")
_TIMEOUT_S = 4
_SERVES = "run"  # the command of every role


def main(words: Sequence[str], port: int) -> int:
    """Return 0 when the process whose command line is *words* is healthy, else 1.

    *port* is that of its health pages, on this machine.
    """
    if _SERVES not in words:
        return 0
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        return int(connection.getresponse().status != HTTPStatus.OK)
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    command_line = _FIRST_PROCESS.read_bytes().decode().split("\0")
    sys.exit(main(command_line, int(os.environ["AEGIS_METRICS_PORT"])))
