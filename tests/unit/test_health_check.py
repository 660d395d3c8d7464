"""A container is healthy when what it runs makes progress, or when nobody can ask it."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from deploy.health_check import main
from deploy.local.places import free_port

SERVES = ["/venv/bin/python", "/venv/bin/aegis", "run", "rules"]


@pytest.fixture(params=[200, 503, None])
def answer(request):
    """The status with which ``/readyz`` answers (None: nobody listens), and the port."""
    if request.param is None:
        yield None, free_port()
        return

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(request.param if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield request.param, server.server_port
        server.shutdown()
        thread.join()


def test_a_process_that_serves_is_as_healthy_as_its_page_says(answer):
    status, port = answer
    assert main(SERVES, port) == (0 if status == 200 else 1)


@pytest.mark.parametrize("word", ["migrate", "verify", "topics"])
def test_a_command_that_ends_by_itself_is_healthy_while_it_runs(word):
    assert main([*SERVES[:2], word], free_port()) == 0
