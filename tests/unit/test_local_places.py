"""Places of servers on this machine: ports, folders, programs; and tests without a server."""

import socket
import tempfile
import threading
from pathlib import Path

import pytest

from deploy.local import places
from deploy.local.program import UnavailableError
from tests.helpers.servers import skip_without_server


@pytest.fixture
def for_all():
    """A folder that every user may come to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_folder_that_everybody_may_come_to_is_taken_as_it_is(for_all):
    assert places.enterable(for_all / "up" / "postgres") == for_all / "up" / "postgres"


def test_below_a_home_that_keeps_others_out_another_folder_takes_its_place(for_all):
    home = for_all / "home"
    home.mkdir(mode=0o700)
    places_found = places.enterable(home / "up")
    assert for_all not in places_found.parents
    assert places_found == places.enterable(home / "up")
    assert places_found != places.enterable(home / "down")


def test_a_port_is_taken_while_somebody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not places.is_free(port)
        assert places.answers(port)
    assert places.is_free(port)
    assert not places.answers(port)


def send_one_away(server):
    server.accept()[0].close()


def test_what_sends_its_clients_away_is_not_ok():
    with socket.create_server(("127.0.0.1", 0)) as server:
        redirects = threading.Thread(target=send_one_away, args=(server,))
        redirects.start()
        assert not places.says_ok(server.getsockname()[1], "/readyz")
        redirects.join()


def test_a_program_that_is_not_there_is_said_with_its_package():
    with pytest.raises(UnavailableError, match="no no-such-program: apt-get install such"):
        places.program("no-such-program", "such", "/nowhere/*/bin")


@pytest.mark.parametrize(
    ("ci", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_a_server_that_cannot_be_had_fails_where_ci_is_set_and_skips_elsewhere(
    monkeypatch, ci, outcome
):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install such"), skip_without_server():
        places.program("no-such-program", "such")
