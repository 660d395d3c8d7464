"""A process starts with the keys of its database, or says which one is missing, and where."""

import os
import subprocess
import sys

import pytest

from services.acts.intake import make_intake
from services.cli.main import main
from services.cli.shared.open_study import open_in
from services.ingest.enrolment import import_participants
from services.runtime.store_settings import read_store_settings
from services.simulator.trial import simulate_trial, write_participants_csv
from services.store import installation_keys
from services.store.key_files import name_keys
from services.store.session import Database
from services.store.vault import Purpose
from tests.helpers.installation import STUDY

pytestmark = pytest.mark.slow

_DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.server)]
_FILES = ("encryption-0001.key", "identity.key", "links.key", "seal.key")
_NEEDS = {  # the files with which each role starts
    "ingest": {"encryption-0001.key", "identity.key"},
    "relay": set(),
    "rules": {"seal.key"},
    "alerts": {"links.key"},
}


@pytest.fixture(params=_DATABASES)
def data(request, tmp_path, monkeypatch):
    """Return a data folder with participants, and its keys beside the database."""
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    if request.param == "postgres":
        monkeypatch.setenv("AEGIS_DATABASE_URL", request.getfixturevalue("postgres").url)
    assert main(["migrate"]) == 0
    context = open_in(read_store_settings(clock="message"))
    people = write_participants_csv(simulate_trial(2, seed=5, days=1))
    import_participants(make_intake(context), people.encode(), "test")
    context.db.close()
    return tmp_path / "data"


def load_registered():
    db = Database.open(read_store_settings().database)
    with db.read() as conn:
        keys = installation_keys.load_keys(conn)
    db.close()
    return keys


def test_the_ids_of_all_keys_are_in_the_database(data):
    registered_keys = load_registered()
    assert {key.file: key.id for key in registered_keys} == name_keys(data / "keys")
    assert {key.file for key in registered_keys} == set(_FILES)
    assert {key.purpose for key in registered_keys} == set(Purpose)


@pytest.fixture
def refuse(capsys):
    """Return a function that runs a command, which has to be refused, and returns its sentence."""

    def run_refused(*words):
        capsys.readouterr()
        assert main(list(words)) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return run_refused


@pytest.mark.parametrize("name", _FILES)
def test_a_missing_key_is_named_with_its_id_and_what_to_do(data, refuse, name):
    key_id = name_keys(data / "keys")[name]
    (data / "keys" / name).unlink()
    for words in (["rules", "status"], ["records"], ["run", "--mllp-port=0"], ["migrate"]):
        line = refuse(*words)
        assert f"the database needs the key {key_id}" in line
        assert f"{data / 'keys' / name} is missing" in line
        assert "AEGIS_KEYS" in line
    assert not (data / "keys" / name).exists()  # and no other was made


@pytest.mark.parametrize("name", _FILES)
def test_another_key_is_named_with_both_ids(data, refuse, name):
    file, expected_id = data / "keys" / name, name_keys(data / "keys")[name]
    file.write_text("ab" * 32 + "\n")
    actual_id = name_keys(data / "keys")[name]
    for words in (["rules", "status"], ["migrate"]):
        line = refuse(*words)
        assert f"the database needs the key {expected_id}" in line
        assert f"{file} has the key {actual_id}" in line


def test_keys_under_other_names_are_not_looked_for(data, refuse):
    (data / "keys" / "seal.key").rename(data / "keys" / "audit.key")
    assert "seal.key is missing" in refuse("rules", "status")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_that_others_can_reach_is_refused(data, refuse, mode):
    file = data / "keys" / "seal.key"
    file.chmod(mode)
    assert f"the key {file} can be read by others: chmod 600 {file}" in refuse("rules", "status")
    assert file.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777])
def test_a_folder_of_keys_is_closed_to_others_and_that_is_said(data, capsys, mode):
    (data / "keys").chmod(mode)
    capsys.readouterr()
    assert main(["verify"]) in (0, 1)
    assert "keys_folder_closed" in capsys.readouterr().err
    assert (data / "keys").stat().st_mode & 0o777 == 0o700


def test_a_folder_of_keys_with_other_files_is_not_closed_but_refused_when_others_can_write(
    data, refuse, capsys
):
    (data / "keys" / "notes.txt").write_text("of somebody else")
    (data / "keys").chmod(0o755)
    assert main(["verify"]) in (0, 1)
    (data / "keys").chmod(0o775)
    assert "others can write to the folder of the keys" in refuse("rules", "status")
    capsys.readouterr()


@pytest.mark.parametrize("data", _DATABASES[1:], indirect=True)
@pytest.mark.parametrize("role", _NEEDS)
def test_a_role_starts_with_its_own_keys_alone(data, role):
    for name in set(_FILES) - _NEEDS[role]:
        (data / "keys" / name).unlink()
    context = open_in(read_store_settings(), service=role)
    context.db.close()
    assert {f"{key}.key" for key in context.keys.single} == _NEEDS[role] - {"encryption-0001.key"}


@pytest.mark.parametrize("data", _DATABASES[1:], indirect=True)
@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, names in _NEEDS.items() for name in sorted(names)]
)
def test_a_role_does_not_start_without_a_key_of_its_own(data, role, name):
    (data / "keys" / name).unlink()
    environment = {**os.environ, "AEGIS_KAFKA": "127.0.0.1:1"}
    process = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "run", role, "--http-port=0"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert f"{data / 'keys' / name} is missing" in line


def forget_keys(data):
    """Let the database be one whose keys no release has registered yet; without a key for links."""
    db = Database.open(read_store_settings().database)
    with db.write() as conn:
        conn.exec_driver_sql("DELETE FROM installation_key")
        conn.exec_driver_sql("DELETE FROM audit WHERE place = 'installation_key'")
    db.close()
    (data / "keys" / "links.key").unlink()


def test_an_earlier_release_gets_a_key_for_links_and_keeps_its_others(data):
    earlier_keys = name_keys(data / "keys")
    forget_keys(data)
    assert main(["migrate"]) == 0
    keys = name_keys(data / "keys")
    assert {key.id for key in load_registered()} == set(keys.values())
    assert keys.pop("links.key") != earlier_keys.pop("links.key")
    assert keys == earlier_keys


@pytest.mark.parametrize("change", ["wrong", "missing"])
def test_wrong_keys_are_not_taken_for_those_of_an_earlier_release(data, refuse, change):
    forget_keys(data)
    file = data / "keys" / "encryption-0001.key"
    file.unlink() if change == "missing" else file.write_text("ab" * 32 + "\n")
    expected = "no keys in" if change == "missing" else "are not those of the database"
    assert expected in refuse("migrate")
    assert not load_registered()
    assert not (data / "keys" / "links.key").exists()


def test_a_start_that_was_killed_before_all_keys_were_made_is_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    folder = tmp_path / "keys"
    folder.mkdir(0o700)
    (folder / "identity.key").touch(0o600)
    (folder / "identity.key").write_text("cd" * 32 + "\n")
    assert main(["migrate"]) == 0
    assert set(name_keys(folder)) == set(_FILES)
    assert (folder / "identity.key").read_text() == "cd" * 32 + "\n"
