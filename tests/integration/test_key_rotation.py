"""A new encryption key: messages are encrypted again with it, and the old one is retired."""

import json
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import update

from services.acts.intake import make_intake
from services.cli.main import main
from services.cli.shared.open_study import open_in
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.simulator.trial import simulate_trial, write_participants_csv
from services.store import messages, reencryption
from services.store.held_lease import HeldLease
from services.store.installation_keys import choose_encryption_key
from services.store.key_files import copy_keys, name_keys
from services.store.reencryption_worker import IDLE_S, ReencryptionWorker
from services.store.session import Database
from services.store.tables import raw_message
from services.store.vault import Keys
from services.vocabulary.person import Role
from tests.helpers.installation import STUDY
from tests.helpers.people import sign_in

pytestmark = pytest.mark.slow

_DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.server)]
OLD_FILE, NEW_FILE = "encryption-0001.key", "encryption-0002.key"


class Trial:
    """Data of a small trial, whose messages come one by one."""

    def __init__(self, folder):
        self.keys_folder = folder / "keys"
        trial = simulate_trial(2, seed=5, days=2)
        self.bodies = iter(trial.messages)
        self.context = open_in(read_store_settings(clock="message"), service="ingest")
        self.db = self.context.db
        self.intake = make_intake(self.context)
        import_participants(self.intake, write_participants_csv(trial).encode(), "test")
        self.progress = []

    def accept(self, count):
        submissions = [Submission(next(self.bodies), "file") for _ in range(count)]
        assert not [one.refusal for one in self.intake.accept(submissions) if one.refusal]

    def count_by_file(self):
        """Return the number of messages by the file of their key."""
        files = {key_id: name for name, key_id in name_keys(self.keys_folder).items()}
        with self.db.read() as conn:
            counts = reencryption.count_messages_by_key(conn)
        return {files[key_id]: count for key_id, count in counts.items()}

    def make_worker(self, keys=None, holder="worker"):
        lease = HeldLease(self.db, "reencryption", holder, now_utc)
        return ReencryptionWorker(lease, keys or Keys.load(self.keys_folder), self.progress.append)

    def reencrypt_all(self):
        worker = self.make_worker()
        while worker.work() < IDLE_S:
            pass
        worker.lease.release()

    def find_unreadable(self):
        with self.db.read() as conn:
            keys = Keys.load(self.keys_folder)
            return list(messages.find_damaged_messages(lambda: conn, keys))


@pytest.fixture(params=_DATABASES)
def trial(request, tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    if request.param == "postgres":
        monkeypatch.setenv("AEGIS_DATABASE_URL", request.getfixturevalue("postgres").url)
    assert main(["migrate"]) == 0
    trial = Trial(tmp_path / "data")
    trial.accept(20)
    yield trial
    trial.db.close()


@pytest.mark.part11("4.3.3")
def test_messages_are_encrypted_again_and_the_old_key_is_retired(trial, aegis, monkeypatch):
    monkeypatch.setattr(reencryption, "_MESSAGES_AT_ONCE", 7)
    sign_in(trial.keys_folder.parent, "ann", Role.OPERATOR)
    count = trial.count_by_file()[OLD_FILE]
    code, answer = aegis("keys", "rotate")
    assert code == 0
    assert str(trial.keys_folder / NEW_FILE) in answer.out
    assert (trial.keys_folder / NEW_FILE).stat().st_mode & 0o777 == 0o600
    trial.accept(5)  # by a process that has begun before
    assert trial.count_by_file() == {OLD_FILE: count, NEW_FILE: 5}
    code, answer = aegis("keys", "retire", OLD_FILE)
    assert code == 2
    assert f"messages are still encrypted with {OLD_FILE}" in answer.err
    trial.reencrypt_all()
    assert trial.count_by_file() == {NEW_FILE: count + 5}
    assert trial.progress == [*range(count, 0, -7), 0, 0]
    assert not trial.find_unreadable()
    code, answer = aegis("keys", "retire", OLD_FILE)
    assert code == 0
    assert "Backups of before now do" in answer.out
    (trial.keys_folder / OLD_FILE).unlink()
    assert aegis("verify")[0] == 0
    assert aegis("keys", "list")[0] == 0
    db = Database.open(read_store_settings().database)
    with db.read() as conn:
        query = "SELECT actor, action FROM audit WHERE place = 'installation_key' ORDER BY id"
        changes = [tuple(row) for row in conn.exec_driver_sql(query)]
    db.close()
    assert changes[-2:] == [("ann", "inserted"), ("ann", "changed")]
    assert set(changes[:-2]) == {("service", "inserted")}


def test_the_list_says_how_far_it_is(trial, aegis):
    def list_states():
        code, answer = aegis("keys", "list", "--json")
        assert code == 0
        keys = [json.loads(line) for line in answer.out.splitlines()]
        assert {one["state"] for one in keys if one["purpose"] != "encryption"} == {"in use"}
        return {
            one["file"]: (one["state"], one["messages"])
            for one in keys
            if one["purpose"] == "encryption"
        }

    count = trial.count_by_file()[OLD_FILE]
    assert list_states() == {OLD_FILE: ("encrypts", count)}
    aegis("keys", "rotate")
    assert list_states() == {OLD_FILE: ("being replaced", count), NEW_FILE: ("encrypts", 0)}
    trial.reencrypt_all()
    assert list_states() == {OLD_FILE: ("can be retired", 0), NEW_FILE: ("encrypts", count)}
    aegis("keys", "retire", OLD_FILE)
    assert list_states() == {OLD_FILE: ("retired", 0), NEW_FILE: ("encrypts", count)}


def test_the_list_names_what_is_wrong_and_files_that_are_not_in_use(trial, aegis):
    (trial.keys_folder / "seal.key").unlink()
    (trial.keys_folder / "identity.key").write_text("ab" * 32 + "\n")
    (trial.keys_folder / NEW_FILE).touch(0o600)
    code, answer = aegis("keys", "list")
    assert code == 1
    assert f"the key {trial.keys_folder / 'seal.key'} is missing" in answer.out
    assert f"{trial.keys_folder / 'identity.key'} has the key" in answer.out
    assert "not in use" in answer.out
    assert f"the key {trial.keys_folder / NEW_FILE} is damaged" in answer.out


DAMAGED, OPEN = "it must be 64 hex digits", "can be read by others"
RETIRED_FILES = (  # mode, content (None: the key), and what is wrong with it
    (0o600, None, ""),
    (0o640, None, OPEN),
    (0o604, None, OPEN),
    (0o600, "ab" * 31, DAMAGED),
    (0o600, "", DAMAGED),
    (0o600, "ab" * 32, "has the key"),
)


def test_the_list_names_what_is_wrong_with_the_file_of_a_retired_key(trial, aegis):
    aegis("keys", "rotate")
    trial.reencrypt_all()
    assert aegis("keys", "retire", OLD_FILE)[0] == 0
    file = trial.keys_folder / OLD_FILE
    key = file.read_text()
    for mode, content, problem in RETIRED_FILES:
        file.write_text(key if content is None else content)
        file.chmod(mode)
        code, answer = aegis("keys", "list", "--json")
        problems = {row["file"]: row["problem"] for row in map(json.loads, answer.out.splitlines())}
        assert problem in problems[OLD_FILE]
        assert (code, bool(problems[OLD_FILE])) == (int(bool(problem)), bool(problem))
    file.unlink()
    assert aegis("keys", "list")[0] == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (OLD_FILE, "encrypts: `aegis keys rotate` makes the next one first"),
        ("identity.key", "is never replaced: participants are found by hashes"),
        ("seal.key", "is never replaced: the seals of the audit trail"),
        ("links.key", "is never replaced: links that are on their way"),
        ("0123456789abcdef", "there is no key 0123456789abcdef: `aegis keys list`"),
    ],
)
@pytest.mark.parametrize("trial", ["sqlite"], indirect=True)
def test_other_keys_are_not_retired(trial, aegis, name, text):
    code, answer = aegis("keys", "retire", name)
    assert code == 2
    assert text in answer.err
    assert trial.count_by_file()


def test_at_most_two_keys_are_in_use(trial, aegis):
    aegis("keys", "rotate")
    code, answer = aegis("keys", "rotate")
    assert code == 2
    assert (
        f"({OLD_FILE}) has not been retired yet, and at most two are in use at once" in answer.err
    )
    assert not (trial.keys_folder / "encryption-0003.key").exists()
    trial.reencrypt_all()
    assert aegis("keys", "rotate")[0] == 2
    assert aegis("keys", "retire", OLD_FILE)[0] == 0
    assert "was retired at" in aegis("keys", "retire", OLD_FILE)[1].err
    assert aegis("keys", "rotate")[0] == 0
    assert (trial.keys_folder / "encryption-0003.key").exists()


def test_two_rotations_at_once_make_one_key(trial):
    words = [sys.executable, "-m", "services.cli.main", "keys", "rotate"]
    processes = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 2, 2], errors
    assert sum("at most two are in use at once" in error for error in errors) == 2
    assert len(list(trial.keys_folder.glob("encryption-*.key"))) == 2


def test_a_rotation_needs_the_keys_of_the_database(trial, aegis):
    (trial.keys_folder / OLD_FILE).write_text("ab" * 32 + "\n")
    for words in (["keys", "rotate"], ["keys", "retire", OLD_FILE]):
        code, answer = aegis(*words)
        assert code == 2
        assert "the database needs the key" in answer.err
    assert not (trial.keys_folder / NEW_FILE).exists()


def test_a_process_without_the_new_key_goes_on_with_the_old_one(trial, aegis, tmp_path):
    copy_keys(trial.keys_folder, tmp_path / "other machine")
    keys_elsewhere, keys_here = Keys.load(tmp_path / "other machine"), trial.intake.keys
    aegis("keys", "rotate")
    trial.intake.keys = keys_elsewhere
    trial.accept(3)
    assert NEW_FILE not in trial.count_by_file()
    assert trial.make_worker(keys_elsewhere).work() == IDLE_S
    assert trial.progress == [trial.count_by_file()[OLD_FILE]]  # for the metric: nobody works
    trial.intake.keys = keys_here
    trial.reencrypt_all()
    assert set(trial.count_by_file()) == {NEW_FILE}
    (tmp_path / "other machine" / NEW_FILE).touch(0o600)
    (tmp_path / "other machine" / NEW_FILE).write_text((trial.keys_folder / NEW_FILE).read_text())
    trial.intake.keys = keys_elsewhere  # which finds the file that has come
    trial.accept(3)
    assert set(trial.count_by_file()) == {NEW_FILE}
    assert not trial.find_unreadable()


def test_no_message_is_encrypted_with_a_key_that_is_being_retired(trial, aegis):
    aegis("keys", "rotate")
    trial.reencrypt_all()
    codes = []
    retirement = threading.Thread(target=lambda: codes.append(main(["keys", "retire", OLD_FILE])))
    other_db = Database.open(read_store_settings().database)
    with other_db.write() as conn:
        choose_encryption_key(conn, trial.context.keys)  # somebody has begun to encrypt
        retirement.start()
        time.sleep(1.0)
        assert codes == []
    retirement.join(30)
    other_db.close()
    assert codes == [0]
    trial.accept(2)
    assert set(trial.count_by_file()) == {NEW_FILE}


def test_of_two_workers_one_works(trial, aegis, monkeypatch):
    monkeypatch.setattr(reencryption, "_MESSAGES_AT_ONCE", 7)
    aegis("keys", "rotate")
    first, second = trial.make_worker(holder="first"), trial.make_worker(holder="second")
    assert first.work() < IDLE_S
    assert second.work() == IDLE_S
    assert trial.count_by_file()[NEW_FILE] == 7
    first.lease.release()
    assert second.work() < IDLE_S
    assert trial.count_by_file()[NEW_FILE] == 14


def test_a_damaged_message_keeps_its_key_and_stops_nothing(trial, aegis):
    with trial.db.write() as conn:
        (damaged_id,) = conn.exec_driver_sql("SELECT min(id) FROM raw_message").one()
        row = raw_message.c
        conn.execute(update(raw_message).where(row.id == damaged_id).values(body=b"damaged"))
    aegis("keys", "rotate")
    trial.reencrypt_all()
    assert trial.count_by_file()[OLD_FILE] == 1
    assert trial.progress[-1] == 1
    assert trial.find_unreadable() == [damaged_id]
    assert aegis("keys", "retire", OLD_FILE)[0] == 2


@pytest.mark.parametrize("trial", ["sqlite"], indirect=True)
def test_a_batch_is_bounded_by_its_bytes(trial, monkeypatch):
    monkeypatch.setattr(reencryption, "_BYTES_AT_ONCE", 1000)
    with trial.db.read() as conn:
        selection = reencryption.select_outdated_messages(conn, "another", "")
        query = "SELECT length(body) FROM raw_message ORDER BY id"
        lengths = list(conn.exec_driver_sql(query).scalars())[: len(selection.messages)]
    assert sum(lengths[:-1]) <= 1000 < sum(lengths)


@pytest.mark.parametrize("trial", ["sqlite"], indirect=True)
def test_a_copy_is_not_restored_with_keys_of_before_its_rotation(
    trial, aegis, tmp_path, monkeypatch
):
    earlier, later, restored_folder = (tmp_path / name for name in ("earlier", "later", "restored"))
    assert aegis("backup", str(earlier))[0] == 0
    aegis("keys", "rotate")
    trial.reencrypt_all()
    assert aegis("backup", str(later))[0] == 0
    new_id = name_keys(trial.keys_folder)[NEW_FILE]
    words = [
        "restore",
        str(later),
        "--keys-from",
        str(earlier / "keys"),
        "--data",
        str(restored_folder),
    ]
    code, answer = aegis(*words)
    assert code == 2
    assert f"{earlier / 'keys' / NEW_FILE} is missing" in answer.err
    monkeypatch.setenv("AEGIS_KEYS", str(earlier / "keys"))
    for words in (["rules", "status"], ["run", "--mllp-port=0"], ["backup", str(tmp_path / "b")]):
        code, answer = aegis(*words)
        assert code == 2
        assert f"the database needs the key {new_id}" in answer.err
        assert f"{earlier / 'keys' / NEW_FILE} is missing" in answer.err


@pytest.mark.parametrize("trial", ["sqlite"], indirect=True)
def test_a_copy_of_before_a_rotation_is_restored_and_rotated_anew(
    trial, aegis, tmp_path, monkeypatch
):
    backup, restored_folder = tmp_path / "backup", tmp_path / "restored"
    assert aegis("backup", str(backup))[0] == 0
    aegis("keys", "rotate")
    monkeypatch.setenv("AEGIS_KEYS", str(trial.keys_folder))  # they outlived the database
    assert aegis("restore", str(backup), "--data", str(restored_folder))[0] == 0
    monkeypatch.setenv("AEGIS_DATA", str(restored_folder))
    assert aegis("verify")[0] == 0
    assert "not in use" in aegis("keys", "list")[1].out
    assert aegis("keys", "rotate")[0] == 0  # takes the file that no database uses any more
    assert sorted(path.name for path in trial.keys_folder.glob("enc*")) == [OLD_FILE, NEW_FILE]
