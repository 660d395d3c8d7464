"""`make up`, `make status`, `make down`: many processes on one machine, found again each time."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.local.__main__ import print_status
from deploy.local.installation import Installation
from deploy.local.places import free_port, is_free, says_ok
from deploy.local.program import Program, ServerError, UnavailableError
from deploy.local.workers import ROLES
from tests.helpers.servers import skip_without_server

ROOT = Path(__file__).parent.parent.parent


def sleeper(folder, seconds="60"):
    """A program that does nothing for so long."""
    code = f"import time; print('begun', flush=True); time.sleep({seconds})"
    return Program("sleeper", [sys.executable, "-c", code], folder)


def test_a_program_is_found_again_by_its_folder_and_ends_when_asked(tmp_path):
    program = sleeper(tmp_path)
    program.start()
    same_program = sleeper(tmp_path)
    assert same_program.pid == program.pid
    program.stop()
    assert same_program.pid is None
    assert not (tmp_path / "sleeper.pid").exists()


def test_a_number_used_by_another_process_is_not_taken_for_the_program(tmp_path):
    started_at = sleeper(tmp_path)
    started_at.start()
    try:
        (tmp_path / "sleeper.pid").write_text(f"{started_at.pid} 1\n")
        assert sleeper(tmp_path).pid is None
    finally:
        started_at.kill()


def test_a_program_that_ends_while_starting_is_said_with_its_last_words(tmp_path):
    program = Program("quitter", [sys.executable, "-c", "print('no such port')"], tmp_path)
    program.start()
    with pytest.raises(ServerError, match=r"(?s)quitter ended while starting.*no such port"):
        program.wait_until(lambda: False, 20)


def test_a_program_that_is_never_ready_is_given_up_within_its_limit(tmp_path):
    program = sleeper(tmp_path)
    program.start()
    try:
        program.wait_until(lambda: "begun" in program.log.read_text(), 20)
        with pytest.raises(ServerError, match=r"not ready in 0\.2 s; see .*sleeper\.log"):
            program.wait_until(lambda: False, 0.2)
    finally:
        program.kill()


def test_a_program_that_does_not_end_is_said_and_left_to_the_operator(tmp_path):
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True)"
    program = Program("deaf", [sys.executable, "-c", f"{deaf}; time.sleep(60)"], tmp_path)
    program.start()
    try:
        program.wait_until(lambda: "deaf" in program.log.read_text(), 20)
        with pytest.raises(ServerError, match="still runs"):
            program.stop(0.2)
    finally:
        program.kill()
    assert program.pid is None


def test_a_program_that_is_not_installed_is_said(tmp_path):
    with pytest.raises(UnavailableError, match="no-such-program"):
        Program("none", ["no-such-program"], tmp_path).start()


def test_every_role_has_a_port_of_its_own():
    ports = [port for role in ROLES for port in (role.http_port, role.mllp_port) if port]
    assert len(ports) == len(set(ports)) == len(ROLES) + 1


def elsewhere(role):
    """The role on free ports."""
    return replace(
        role, http_port=free_port(), mllp_port=None if role.mllp_port is None else free_port()
    )


@pytest.mark.server
@pytest.mark.slow
def test_every_role_goes_up_and_down_and_up_again_with_its_data(servers_folder):
    roles = [elsewhere(role) for role in ROLES]
    with skip_without_server():
        installation = Installation(servers_folder / "up", roles)
    try:
        places = dict(installation.start())
        assert list(places) == ["postgres", "kafka", *(role.name for role in roles)]
        assert all(says_ok(installation.ports[role.name], "/readyz") for role in roles)
        same_installation = Installation(servers_folder / "up", roles)  # as the next command does
        assert all(pid for _, pid, _, _ in same_installation.status())
        installation.command("participants", "import", str(enrolled(servers_folder)))
        assert dict(same_installation.stop()) == dict.fromkeys(reversed(places), "stopped")
        assert all(is_free(port) for port in installation.ports.values())
        assert dict(installation.start()) == places
        assert "P-001" in same_installation.command("participants", "list")
    finally:
        list(installation.stop())


def enrolled(folder):
    """A file with one participant."""
    file = folder / "participants.csv"
    file.write_text(
        "participant,site,authority,identifier,transplant_at,enrolled_at\n"
        "P-001,north,NMRN,123,2026-05-01T10:00,2026-05-20T10:00\n"
    )
    return file


def test_the_command_says_that_nothing_was_ever_started_and_does_not_fail(tmp_path):
    command = [sys.executable, "-m", "deploy.local", "--folder", str(tmp_path), "status"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0
    assert "make up" in process.stdout


class Parts:
    """An installation of which only the state is asked."""

    def __init__(self, *pids):
        self.pids = pids

    def status(self):
        """The rows that are printed."""
        return [(f"part-{n}", pid, "127.0.0.1:1", Path("log")) for n, pid in enumerate(self.pids)]


@pytest.mark.parametrize(
    ("parts", "code"), [(Parts(1, 2), 0), (Parts(None, None), 0), (Parts(1, None), 1)]
)
def test_only_an_installation_of_which_a_part_has_stopped_is_a_failure(parts, code):
    assert print_status(parts) == code
