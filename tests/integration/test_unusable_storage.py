"""A damaged database, or a folder that may not be written, is one sentence, and exit code 2."""

import os
import shutil
import subprocess
import sys

import pytest

from services.cli.main import main
from services.simulator.trial import simulate_trial
from tests.helpers.installation import STUDY, Installation, messages_of

pytestmark = pytest.mark.slow

_RUN = ("run", "--mllp-port=0", "--http-port=0")
_PAGE = 4096
# root may write what nobody may, unless it is started without that right
_AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "data"
    trial = simulate_trial(2, seed=5, days=1)
    installation = Installation(folder)
    installation.enrol(trial)
    installation.accept(messages_of(trial))
    installation.db.close()
    return folder


@pytest.fixture
def data(sound, tmp_path):
    """Return a data folder, which the test may break."""
    return shutil.copytree(sound, tmp_path / "data")


def refuse(data, *words):
    """Run ``aegis WORDS``, which may not do it; return the one line that it says."""
    prefix = _AS_ANYBODY if os.getuid() == 0 else ()
    process = subprocess.run(
        [*prefix, sys.executable, "-m", "services.cli.main", *words],
        env={**os.environ, "AEGIS_DATA": str(data), "AEGIS_STUDY": str(STUDY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 2, process.stdout + process.stderr
    assert not process.stdout
    (line,) = process.stderr.splitlines()
    assert line.startswith(f"aegis {words[0]}: ")
    return line


def overwrite_pages(data, first, count):
    file = data / "db" / "aegis.db"
    content = bytearray(file.read_bytes())
    content[first * _PAGE : (first + count) * _PAGE] = b"\xa5" * count * _PAGE
    file.write_bytes(content)


def cut_half(data):
    file = data / "db" / "aegis.db"
    os.truncate(file, file.stat().st_size // 2 // _PAGE * _PAGE)


DAMAGE = {
    "header": lambda data: overwrite_pages(data, 0, 1),
    "pages": lambda data: overwrite_pages(data, 20, 8),
    "cut": cut_half,
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("words", [_RUN, ("verify",)], ids=" ".join)
def test_damaged_pages_end_the_start_and_the_check(data, damage, words):
    DAMAGE[damage](data)
    line = refuse(data, *words)
    assert f"the database {data / 'db' / 'aegis.db'} is damaged (" in line
    assert "restore a backup into another folder (docs/backup.md)" in line


@pytest.mark.parametrize("words", [("records",), ("migrate",), ("alerts", "list")], ids=" ".join)
def test_any_command_says_so_where_it_meets_the_damage(data, words):
    DAMAGE["header"](data)
    assert f"the database {data / 'db' / 'aegis.db'} is damaged: " in refuse(data, *words)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_makes_no_backup(data, tmp_path, capsys, damage):
    DAMAGE[damage](data)
    assert main(["backup", str(tmp_path / "backup"), "--data", str(data)]) == 2
    assert f"{data / 'db' / 'aegis.db'} is damaged" in capsys.readouterr().err
    assert not (tmp_path / "backup" / "backup.json").exists()


def test_a_database_without_tables_makes_no_backup(data, tmp_path, capsys):
    os.truncate(data / "db" / "aegis.db", 0)
    assert main(["backup", str(tmp_path / "backup"), "--data", str(data)]) == 2
    assert "is empty: there is nothing to copy" in capsys.readouterr().err
    assert not (tmp_path / "backup" / "backup.json").exists()


@pytest.fixture
def read_only(data):
    """Return a data folder that nobody may write."""
    folders = [data, data / "db", data / "keys"]
    for folder in folders:
        folder.chmod(0o500)
    yield data
    for folder in folders:
        folder.chmod(0o700)


@pytest.mark.parametrize("words", [_RUN, ("verify",), ("records",)], ids=" ".join)
def test_a_read_only_folder_is_said_to_be_one(read_only, words):
    line = refuse(read_only, *words)
    assert "cannot be opened: its folder and every file in it must be writable by this user" in line


def test_a_data_folder_that_cannot_be_made_is_named(read_only):
    line = refuse(read_only / "new", *_RUN)
    assert f"{read_only / 'new'}: this user has no right to read or to write it" in line


def test_another_bug_keeps_its_traceback(monkeypatch):
    def fail(_args):
        raise RuntimeError("a bug")

    monkeypatch.setattr("services.cli.commands.version.perform", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["version"])
