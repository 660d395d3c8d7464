"""A damaged database, or a folder that may not be written, is one sentence, and exit code 2."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading

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
@pytest.mark.parametrize("words", [_RUN, ("verify",), ("migrate",)], ids=" ".join)
def test_damaged_pages_end_the_start_and_the_check(data, damage, words):
    DAMAGE[damage](data)
    line = refuse(data, *words)
    assert f"the database {data / 'db' / 'aegis.db'} is damaged (" in line
    assert "restore a backup into another folder (docs/backup.md)" in line


@pytest.mark.parametrize("words", [("records",), ("alerts", "list")], ids=" ".join)
def test_any_command_says_so_where_it_meets_the_damage(data, words):
    DAMAGE["header"](data)
    assert f"the database {data / 'db' / 'aegis.db'} is damaged: " in refuse(data, *words)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_makes_no_backup(data, tmp_path, capsys, damage):
    DAMAGE[damage](data)
    assert main(["backup", str(tmp_path / "backup"), "--data", str(data)]) == 2
    assert f"{data / 'db' / 'aegis.db'} is damaged" in capsys.readouterr().err
    assert not (tmp_path / "backup" / "backup.json").exists()


def empty_file(data):
    os.truncate(data / "db" / "aegis.db", 0)


def empty_file_beside_its_log(data):
    (data / "db" / "aegis.db-wal").write_bytes(b"the newest facts")
    empty_file(data)


def drop_tables(data):
    empty_file(data)
    connection = sqlite3.connect(data / "db" / "aegis.db")
    connection.execute("PRAGMA user_version = 1")
    connection.close()


def delete_file(data):
    (data / "db" / "aegis.db").unlink()


def delete_file_beside_its_log(data):
    delete_file(data)
    (data / "db" / "aegis.db-wal").write_bytes(b"the newest facts")


LOSSES = {
    "empty": (empty_file, "has no tables: it was emptied or cut off"),
    "empty beside its log": (empty_file_beside_its_log, "has no tables: it was emptied or cut off"),
    "another database": (drop_tables, "has no tables: it was emptied or cut off"),
    "deleted": (delete_file, "is gone: stop what writes to it, and restore a backup"),
    "deleted beside its log": (delete_file_beside_its_log, "is gone, and its log"),
}


def list_contents(folder):
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-run"))  # of who uses it now
    }


@pytest.mark.parametrize(
    ("words", "loss"),
    [
        *((_RUN, loss) for loss in LOSSES),
        (("migrate",), "empty beside its log"),
        (("migrate",), "deleted"),
        (("participants", "import", __file__), "deleted beside its log"),
        (("participants", "import", __file__), "another database"),
    ],
)
def test_lost_data_are_never_begun_anew(data, words, loss):
    lose, text = LOSSES[loss]
    lose(data)
    if loss == "another database":  # which others have just left
        sqlite3.connect(data / "db" / "aegis.db").execute("PRAGMA journal_mode=WAL").close()
    earlier = list_contents(data)
    line = refuse(data, *words)
    assert str(data / "db" / "aegis.db") in line
    assert text in line
    assert list_contents(data) == earlier


@pytest.mark.parametrize(
    ("words", "loss"),
    [
        (("records",), "another database"),
        (("records",), "empty"),
        (("verify",), "empty beside its log"),
    ],
)
def test_who_only_looks_says_so_too(data, words, loss):
    LOSSES[loss][0](data)
    assert str(data / "db" / "aegis.db") in refuse(data, *words)


def test_data_begin_anew_once_their_memory_is_removed(data):
    delete_file(data)
    (data / "study.json").unlink()
    with_new_database = main(["migrate", "--data", str(data), "--study", str(STUDY)])
    assert with_new_database == 0


def test_two_that_begin_the_same_data_at_once_do_not_meet_half_a_database(tmp_path):
    environment = {**os.environ, "AEGIS_DATA": str(tmp_path / "data"), "AEGIS_STUDY": str(STUDY)}
    words = [sys.executable, "-m", "services.cli.main", "migrate"]
    processes = [
        subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert errors == ["", "", ""]


def test_a_file_that_another_process_is_just_making_is_waited_for(data):
    file = data / "db" / "aegis.db"
    content = file.read_bytes()
    empty_file(data)
    maker = threading.Timer(0.3, file.write_bytes, [content])
    maker.start()
    assert main(["migrate", "--data", str(data), "--study", str(STUDY)]) == 0
    maker.join()
    assert file.stat().st_size >= len(content)


def test_one_that_was_killed_while_it_made_the_database_is_followed_by_another(tmp_path):
    folder = tmp_path / "data"
    (folder / "db").mkdir(parents=True)
    for name in ("aegis.db.new", "aegis.db.new-wal"):
        (folder / "db" / name).write_bytes(b"half of it")
    assert main(["migrate", "--data", str(folder), "--study", str(STUDY)]) == 0
    assert sorted(path.name for path in (folder / "db").iterdir()) == ["aegis.db"]


@pytest.mark.parametrize("mask", [0, 0o22, 0o277])
def test_every_file_and_folder_of_new_data_is_private_whatever_the_umask(tmp_path, mask):
    folder = tmp_path / "data"
    earlier = os.umask(mask)
    try:
        assert main(["migrate", "--data", str(folder), "--study", str(STUDY)]) == 0
    finally:
        os.umask(earlier)
    modes = {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")
    }
    assert {"study.json", "keys/seal.key", "db/aegis.db"} <= modes.keys()
    assert modes.pop("keys") == 0o700
    assert modes.pop("db") == 0o700
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("loss", ["empty", "another database"])
def test_a_database_without_tables_makes_no_backup(data, tmp_path, capsys, loss):
    LOSSES[loss][0](data)
    assert main(["backup", str(tmp_path / "backup"), "--data", str(data)]) == 2
    assert str(data / "db" / "aegis.db") in capsys.readouterr().err
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
