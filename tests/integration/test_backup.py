"""Backup and restore: what is copied while others write is whole, and is restored or refused."""

import json
import os
import shutil
import stat
import threading

import pytest

from services.cli.main import main
from services.cli.shared.backup_folder import hash_file
from services.runtime.clock import now_utc
from services.simulator.trial import simulate_trial
from services.store.key_files import name_keys
from services.store.seal_chain import seal_audit_rows
from services.store.session import Database
from services.store.vault import Keys
from tests.helpers.installation import Installation, messages_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial():
    return simulate_trial(2, seed=5, days=3)


@pytest.fixture(scope="module")
def half_fed(trial, tmp_path_factory):
    """Return an installation, which has graded the first half of the trial, and its backup."""
    folder = tmp_path_factory.mktemp("half")
    installation = Installation(folder / "data")
    installation.enrol(trial)
    messages = messages_of(trial)
    installation.accept(messages[: len(messages) // 2])
    installation.settle()
    assert main(["backup", str(folder / "backup"), "--data", str(folder / "data")]) == 0
    yield installation, folder / "backup"
    installation.db.close()


@pytest.fixture
def backup(half_fed, tmp_path):
    """Return a copy of the backup, which the test may damage."""
    return shutil.copytree(half_fed[1], tmp_path / "copy")


@pytest.fixture
def restore(tmp_path, capsys, backup):
    def run_restore(*words):
        capsys.readouterr()
        code = main(["restore", str(backup), "--data", str(tmp_path / "restored"), *words])
        return code, capsys.readouterr()

    return run_restore


@pytest.mark.part11("11.10(c)", "4.2.7")
def test_a_backup_beside_a_writer_restores_to_the_same_history(trial, tmp_path, capsys):
    source = Installation(tmp_path / "data")
    source.enrol(trial)
    messages = messages_of(trial)
    half = len(messages) // 2
    source.accept(messages[:half])

    def write():
        source.accept(messages[half:], at_once=2)
        source.settle()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            words = ["backup", str(tmp_path / f"backup-{number}"), "--data", str(tmp_path / "data")]
            assert main(words) == 0, capsys.readouterr().err
    finally:
        writer.join()
    counts = []
    for number in range(3):
        folder = tmp_path / f"restored-{number}"
        assert main(["restore", str(tmp_path / f"backup-{number}"), "--data", str(folder)]) == 0
        for command in ("verify", "replay"):
            assert main([command, "--data", str(folder)]) == 0, capsys.readouterr().out
        restored = Installation(folder)
        with restored.db.read() as conn:
            counts.append(conn.exec_driver_sql("SELECT count(*) FROM raw_message").scalar())
        restored.accept(messages)  # senders repeat what they sent since the backup
        restored.settle()
        assert restored.canonical() == source.canonical()
        assert not restored.find_mismatches()
        restored.db.close()
    assert half <= counts[0] < len(messages)  # the writer had not ended
    assert counts == sorted(counts)
    source.db.close()


def test_files_of_a_backup_and_of_what_is_restored_are_private(backup, restore, tmp_path):
    assert restore()[0] == 0
    files = [*backup.rglob("*.*"), *(tmp_path / "restored").rglob("*.[dk]*")]
    assert {"aegis.db", "seal.key", "backup.json"} <= {file.name for file in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize("mask", [0, 0o22, 0o277])
def test_the_folder_that_is_restored_is_private_whatever_the_umask(restore, tmp_path, mask):
    earlier = os.umask(mask)
    try:
        code, output = restore()
    finally:
        os.umask(earlier)
    folders = [tmp_path / "restored", tmp_path / "restored" / "db", tmp_path / "restored" / "keys"]
    assert (code, {stat.S_IMODE(one.stat().st_mode) for one in folders}) == (0, {0o700})
    assert "revoke again" in output.out


def test_a_backup_is_one_file_beside_the_keys_and_goes_to_a_new_folder(half_fed, capsys):
    installation, folder = half_fed
    files = {str(file.relative_to(folder)) for file in folder.rglob("*.*")}
    assert files == {
        "backup.json", "db/aegis.db",
        "keys/encryption-0001.key", "keys/identity.key", "keys/links.key", "keys/seal.key",
    }  # fmt: skip
    assert main(["backup", str(folder), "--data", str(installation.context.settings.data)]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_keys_may_be_kept_elsewhere(half_fed, tmp_path, capsys):
    data = half_fed[0].context.settings.data
    keys, copy, restored = tmp_path / "safe", tmp_path / "backup", tmp_path / "restored"
    assert main(["backup", str(copy), "--keys-to", str(keys), "--data", str(data)]) == 0
    assert not list(copy.rglob("*.key"))
    assert main(["restore", str(copy), "--data", str(restored)]) == 2
    assert "encryption-0001.key is missing" in capsys.readouterr().err
    assert not restored.exists()
    words = ["restore", str(copy), "--keys-from", str(keys), "--data", str(restored)]
    assert main(words) == 0
    assert main(["verify", "--data", str(restored)]) == 0


def test_keys_that_outlived_their_database_are_used(half_fed, restore, tmp_path, monkeypatch):
    keys = half_fed[0].context.settings.keys_folder
    monkeypatch.setenv("AEGIS_KEYS", str(keys))
    assert restore()[0] == 0
    assert not (tmp_path / "restored" / "keys").exists()
    assert main(["verify", "--data", str(tmp_path / "restored")]) == 0


@pytest.mark.parametrize("file", ["db/aegis.db", "keys/seal.key", "study.json"])
def test_a_folder_with_data_is_refused_and_stays_as_it_is(restore, tmp_path, file):
    path = tmp_path / "restored" / file
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    code, output = restore()
    assert code == 2
    assert f"is not empty ({path.name})" in output.err
    assert [one for one in (tmp_path / "restored").rglob("*") if one.is_file()] == [path]
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["aegis.db", "aegis.db-wal"])
def test_a_database_elsewhere_is_refused_and_its_neighbours_are_not(
    restore, tmp_path, monkeypatch, name
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "notes.txt").write_text("mine")
    (elsewhere / name).write_text("mine")
    monkeypatch.setenv("AEGIS_DATABASE_URL", f"sqlite:///{elsewhere / 'aegis.db'}")
    code, output = restore()
    assert code == 2
    assert "there is a database in" in output.err
    (elsewhere / name).unlink()
    assert restore()[0] == 0
    assert (elsewhere / "aegis.db").is_file()


def test_an_empty_folder_may_be_there(restore, tmp_path):
    (tmp_path / "restored" / "db").mkdir(parents=True)
    assert restore()[0] == 0


def cut_database(backup):
    file = backup / "db" / "aegis.db"
    file.write_bytes(file.read_bytes()[:-4096])


def lose_description(backup):
    (backup / "backup.json").unlink()


def damage_description(backup):
    (backup / "backup.json").write_text("{}")


def replace_key(name):
    def replace(backup):
        (backup / "keys" / name).write_text("ab" * 32 + "\n")

    return replace


def seal(backup):
    """Seal the audit trail of a copy, as the service does each second."""
    db = Database.open(f"sqlite:///{backup / 'db' / 'aegis.db'}")
    with db.write() as conn:
        assert seal_audit_rows(conn, Keys.load(backup / "keys"), now_utc())
    db.close()


def describe_anew(backup):
    """Let the description say what is there now."""
    description = json.loads((backup / "backup.json").read_text())
    description["sha256"] = hash_file(backup / "db" / "aegis.db")
    description["keys"] = name_keys(backup / "keys")
    (backup / "backup.json").write_text(json.dumps(description))


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (cut_database, "aegis.db is not as it was written: take another backup"),
        (lose_description, "is no complete backup"),
        (damage_description, "backup.json is damaged"),
        (replace_key("seal.key"), "seal.key is another key"),
        (replace_key("identity.key"), "identity.key is another key"),
        (replace_key("encryption-0001.key"), "encryption-0001.key is another key"),
        (lambda backup: (backup / "keys" / "seal.key").chmod(0o644), "can be read by others"),
    ],
)
def test_what_is_not_whole_is_refused_and_nothing_is_left_behind(
    backup, restore, tmp_path, damage, text
):
    damage(backup)
    code, output = restore()
    assert code == 2
    assert text in output.err
    assert len(output.err.splitlines()) == 1
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize("name", ["seal.key", "identity.key", "encryption-0001.key", "links.key"])
def test_keys_are_compared_with_those_of_the_database_whatever_the_description_says(
    backup, restore, tmp_path, name
):
    key_id = name_keys(backup / "keys")[name]
    replace_key(name)(backup)
    describe_anew(backup)
    code, output = restore()
    assert code == 2
    assert f"the database needs the key {key_id}" in output.err
    assert f"{backup / 'keys' / name} has the key" in output.err
    assert not list((tmp_path / "restored").rglob("*.*"))


def forget_keys(backup):
    """Let the copy be one of an earlier release, which registered no keys."""
    db = Database.open(f"sqlite:///{backup / 'db' / 'aegis.db'}")
    with db.write() as conn:
        conn.exec_driver_sql("DELETE FROM installation_key")
    db.close()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("seal.key", "the newest seal of the audit trail was not made with this seal.key"),
        ("encryption-0001.key", "which is not among the keys"),
    ],
)
def test_keys_are_tried_on_a_copy_of_an_earlier_release(backup, restore, tmp_path, name, text):
    forget_keys(backup)
    seal(backup)
    replace_key(name)(backup)
    describe_anew(backup)
    code, output = restore()
    assert code == 2
    assert text in output.err
    assert not list((tmp_path / "restored").rglob("*.*"))


def test_damaged_pages_are_found_whatever_the_description_says(backup, restore, tmp_path):
    file = backup / "db" / "aegis.db"
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = bytes(8192)
    file.write_bytes(content)
    describe_anew(backup)
    code, output = restore()
    assert code == 2
    assert "damaged" in output.err
    assert not list((tmp_path / "restored").rglob("*.*"))
