"""Free ports, folders that another user may enter, and programs on this machine."""

import os
import random
import shutil
import socket
import stat
from hashlib import sha256
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.local.program import UnavailableError

_FOR_ALL = Path("/var/lib/aegis-local")
_PORTS = range(20_000, 32_000)  # systems give ports from 32,768 on, or 49,152
_DRAWN_PORTS = random.SystemRandom()


def free_port() -> int:
    """Return a port of the loopback address on which nothing listens now.

    It is none that the system gives to who asks for any: a server finds its own again when it comes
    back.
    """
    while not is_free(port := _DRAWN_PORTS.choice(_PORTS)):
        pass
    return port


def is_free(port: int) -> bool:
    """Return True when a server could listen on *port* of the loopback address."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def answers(port: int) -> bool:
    """Return True when something accepts connections on *port* of the loopback address."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def says_ok(port: int, path: str) -> bool:
    """Return True when a server on *port* of the loopback address answers *path* with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def enterable(folder: Path) -> Path:
    """Return *folder*, or one that takes its place when other users cannot come to it.

    A home of mode 700 above it keeps them out, whatever its own mode.
    """
    place = folder.absolute()
    if all(above.stat().st_mode & stat.S_IXOTH for above in place.parents if above.exists()):
        return place
    return _FOR_ALL / sha256(os.fsencode(place)).hexdigest()[:12]


def program(name: str, package: str, folders: str = "") -> str:
    """Return the path of the program *name*: on ``PATH``, else the newest in *folders* (a glob).

    Raises:
        UnavailableError: It is not there; says which Debian *package* has it.
    """
    path = shutil.which(name)
    if path is None and folders:
        candidates = sorted(Path("/").glob(f"{folders.lstrip('/')}/{name}"))
        path = str(candidates[-1]) if candidates else None
    if path is None:
        raise UnavailableError(f"there is no {name}: apt-get install {package}")
    return path
