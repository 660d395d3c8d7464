"""A way to PostgreSQL that can be cut in the middle of a COMMIT, before or after it is done."""

import socket
import threading
from contextlib import suppress

from sqlalchemy.engine import make_url

BEFORE_COMMIT, AFTER_COMMIT = "before", "after"  # the server has heard the COMMIT, or it has not
_COMMIT = b"COMMIT"


class Proxy:
    """Listens on a free port, and carries bytes to the server of *url* and back."""

    def __init__(self, url):
        url_parts = make_url(url)
        self._server = url_parts.host, url_parts.port
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = url_parts.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        self.cuts = 0
        self._cut_at = None
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_next_commit(self, when):
        """Cut the next connection that says COMMIT, *when* the server has not or has done it."""
        with self._lock:
            self._cut_at = when

    @property
    def is_armed(self):
        """True as long as no COMMIT was cut since."""
        return self._cut_at is not None

    def close(self):
        """Take no more connections."""
        self._listener.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                pair = _Pair(client, server)
                for carry in (self._to_server, self._to_client):
                    threading.Thread(target=carry, args=(pair,), daemon=True).start()

    def _to_server(self, pair):
        with suppress(OSError):
            while data := pair.client.recv(65536):
                when = self._disarm() if _COMMIT in data else None
                if when == BEFORE_COMMIT:
                    break
                pair.is_deaf = when == AFTER_COMMIT
                pair.server.sendall(data)
                if pair.is_deaf:
                    return  # whoever hears the answer cuts
        pair.close()

    def _to_client(self, pair):
        with suppress(OSError):
            while data := pair.server.recv(65536):
                if pair.is_deaf:
                    break
                pair.client.sendall(data)
        pair.close()

    def _disarm(self):
        with self._lock:
            when, self._cut_at = self._cut_at, None
            self.cuts += when is not None
        return when


class _Pair:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.is_deaf = False  # the answer of the server does not arrive

    def close(self):
        for item in (self.client, self.server):
            with suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
            item.close()
