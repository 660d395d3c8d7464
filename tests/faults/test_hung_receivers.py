"""A mail server that takes connections and never answers: the process ends when it is asked to."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from services.simulator.trial import simulate_trial, write_trial
from tests.helpers.embedded_service import EmbeddedService

pytestmark = pytest.mark.slow

_LONGEST_END_S = 20.0  # of a process that is asked to end


@pytest.fixture
def silent_server():
    """A listener; its connections are kept open and get a byte every eight seconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections = []

        def serve():
            with suppress(OSError):
                while True:
                    connections.append(listener.accept()[0])

        def drip():
            while listener.fileno() != -1:
                for connection in connections:
                    with suppress(OSError):
                        connection.sendall(b"2")
                time.sleep(8)

        threading.Thread(target=serve, daemon=True).start()
        threading.Thread(target=drip, daemon=True).start()
        yield listener, connections
    for connection in connections:
        connection.close()


def test_the_service_ends_within_twenty_seconds_while_a_mail_server_hangs(tmp_path, silent_server):
    listener, connections = silent_server
    trial_data = simulate_trial(3, seed=11, days=9)
    write_trial(trial_data, tmp_path / "trial")
    service = EmbeddedService(tmp_path / "data", listener.getsockname()[1])
    service.command("participants", "import", str(tmp_path / "trial" / "participants.csv"))
    service.start()
    service.feed(trial_data.messages, 0)
    ends_at_s = time.monotonic() + 60
    while not connections:
        assert time.monotonic() < ends_at_s
        time.sleep(0.05)
    began_s = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - began_s < _LONGEST_END_S
