"""Receivers that take connections and never answer: nobody waits for them, nor does a stop."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.alerts.adapters.webhook import make_webhook_channel
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.runtime.settings import AlertSettings
from services.simulator.trial import simulate_trial, write_trial
from tests.helpers.embedded_service import EmbeddedService
from tests.helpers.timeline import Timeline

pytestmark = pytest.mark.slow

_LONGEST_END_S = 20.0  # of a process that is asked to end
_LONGEST_WAIT_S = 1.0  # of a receiver that answers
_HUNG_RECEIVERS = 40  # more than the pool has places for those that do not answer


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


@pytest.fixture
def answering_port():
    """The port of a webhook that answers at once, and the instants at which it did."""
    instants_s = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            instants_s.append(time.monotonic())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port, instants_s
        server.shutdown()


def name_recipients(*urls):
    """Recipients of the safety officer's notices, one at each of *urls*."""
    recipients = tuple(Recipient("safety_officer", url, Channel.WEBHOOK, url) for url in urls)
    return Recipients({"safety_officer": recipients})


@contextmanager
def run_worker(worker):
    """A delivery worker at work in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop, 0.05), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(_LONGEST_END_S)
    assert not thread.is_alive()


def wait_until(is_reached, within_s):
    ends_at_s = time.monotonic() + within_s
    while not is_reached():
        assert time.monotonic() < ends_at_s
        time.sleep(0.01)


def test_whoever_hangs_a_receiver_that_answers_has_its_notices_within_a_second(
    tmp_path, silent_server, answering_port
):
    listener, connections = silent_server
    port, instants_s = answering_port
    secret = tmp_path / "secret"
    secret.write_text("a shared secret")
    trial = Timeline(tmp_path)
    trial.treat("P-001", "P-002", "P-003")
    webhook = make_webhook_channel(AlertSettings(webhook_secret_file=secret))
    good_url = f"http://127.0.0.1:{port}/"
    bad_url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    trial.worker.context = replace(
        trial.delivery, channels={Channel.WEBHOOK: webhook}, recipients=name_recipients(good_url)
    )
    with run_worker(trial.worker):
        trial.potassium("6.5", name="P-001", hour=0)
        trial.grade(0)
        wait_until(lambda: len(instants_s) == 1, 20)
        trial.worker.context = replace(
            trial.worker.context,
            recipients=name_recipients(
                *(f"{bad_url}{n}" for n in range(_HUNG_RECEIVERS)), good_url
            ),
        )
        for count, name in enumerate(("P-002", "P-003"), 2):
            trial.potassium("6.5", name=name, hour=1)
            trial.grade(1)
            began_s = time.monotonic()
            wait_until(lambda count=count: len(instants_s) == count, 20)
            assert instants_s[-1] - began_s < _LONGEST_WAIT_S
            wait_until(lambda: len(connections) > 16, 20)
    trial.close()
