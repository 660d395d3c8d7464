"""The demo by a process for each role: the same records as in one process, and the same history."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.places import free_port

ROOT = Path(__file__).parent.parent.parent
AEGIS = (sys.executable, "-m", "services.cli.main")
SMALL = ("--participants", "5", "--days", "9", "--seed", "11")


def demo(folder, *words, **settings):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("AEGIS_")
    }
    return subprocess.run(
        [*AEGIS, "demo", "--distributed", *words, "--data", str(folder)],
        cwd=ROOT,
        env={**environment, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


@pytest.mark.server
@pytest.mark.slow
def test_many_processes_make_what_one_makes_and_only_on_empty_servers(postgres, kafka, tmp_path):
    environment = {"AEGIS_DATABASE_URL": postgres.url, "AEGIS_KAFKA": kafka.servers}
    process = demo(tmp_path / "out", *SMALL, **environment)
    assert process.returncode == 0, process.stdout + process.stderr
    match = re.search(r"records = answer key: (\d+) of (\d+)", process.stdout)
    assert match
    assert match[1] == match[2] != "0"
    assert re.search(r"\d+ sent, 0 refused, \d+ parked, lost 0", process.stdout)
    assert "replayed: the same history" in process.stdout
    assert f"records of one process: the same, byte for byte, of {match[1]}" in process.stdout
    assert postgres.query("SELECT count(*) FROM raw_message WHERE source = 'mllp'")[0][0] > 100
    mails = [len(list((tmp_path / "out" / place).glob("*.eml"))) for place in ("mails",)]
    assert mails[0] > 0

    second_run = demo(tmp_path / "other", *SMALL, **environment)
    assert second_run.returncode == 2
    assert "would be mixed with them" in second_run.stderr


@pytest.mark.parametrize(
    "notices",
    [
        {},
        {"AEGIS_KAFKA": "127.0.0.1:9092"},
        {"AEGIS_DATABASE_URL": "sqlite:////nowhere", "AEGIS_KAFKA": "127.0.0.1:9092"},
        {"AEGIS_DATABASE_URL": "postgresql+psycopg://aegis@127.0.0.1:1/aegis"},
    ],
)
def test_it_says_which_servers_it_needs_and_touches_nothing(tmp_path, notices):
    process = demo(tmp_path / "out", **notices)
    assert process.returncode == 2
    assert "AEGIS_DATABASE_URL" in process.stderr
    assert "AEGIS_KAFKA" in process.stderr
    assert "make demo-distributed" in process.stderr
    assert not (tmp_path / "out").exists()


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path):
    port = free_port()
    process = demo(
        tmp_path / "out",
        AEGIS_DATABASE_URL=f"postgresql+psycopg://aegis:secret@127.0.0.1:{port}/aegis",
        AEGIS_KAFKA=f"127.0.0.1:{port}",
    )
    assert process.returncode == 2
    assert f"127.0.0.1:{port}" in process.stderr
    assert "secret" not in process.stderr
    assert "start it, or name another in AEGIS_DATABASE_URL" in process.stderr
