"""A data folder remembers its study: commands work from anywhere, and never mix two studies."""

import json
import shutil
from pathlib import Path

import pytest

from services.cli.main import main
from services.store.protocols import load_protocol_versions
from services.store.session import Database
from tests.helpers.timeline import FOLDER

pytestmark = pytest.mark.slow


@pytest.fixture
def study(tmp_path):
    """Return a study of its own, which can be moved."""
    return Path(shutil.copytree(FOLDER, tmp_path / "study"))


@pytest.fixture
def data(tmp_path, study, monkeypatch):
    """Return a data folder that was made with the study, from another folder."""
    monkeypatch.delenv("AEGIS_STUDY", raising=False)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    people = tmp_path / "people.csv"
    people.write_text("participant,site\nP-001,berlin\n")
    main(["participants", "import", str(people), "--data", str(folder), "--study", study.name])
    return folder


@pytest.fixture
def aegis(data, capsys):
    def run_command(*words):
        capsys.readouterr()
        code = main([*words, "--data", str(data)])
        return code, capsys.readouterr()

    return run_command


@pytest.fixture
def other_study(tmp_path, study):
    """Return another study, with an id of its own."""
    folder = Path(shutil.copytree(study, tmp_path / "other"))
    protocol = folder / "protocol.yaml"
    protocol.write_text(protocol.read_text().replace("BLINA-HSCT", "OTHER"))
    return folder


def test_the_folder_says_which_study_it_is_of(data, study):
    content = json.loads((data / "study.json").read_text())
    assert content == {"study": "BLINA-HSCT", "folder": str(study)}


def test_who_only_looks_by_a_copy_of_the_study_does_not_change_what_is_remembered(
    aegis, data, study, tmp_path
):
    copy = shutil.copytree(study, tmp_path / "copy")
    assert aegis("records", "--study", str(copy))[0] == 0
    assert json.loads((data / "study.json").read_text())["folder"] == str(study)


READERS = [
    ["records"],
    ["rules", "status"],
    ["dose"],
    ["queries"],
    ["endpoints"],
    ["refold"],
    ["regrade", "--to", "ctcae-6.0", "--dry-run"],
    ["verify"],
    ["replay"],
]


def read_protocol_versions(data):
    database = Database.open(f"sqlite:///{data / 'db' / 'aegis.db'}")
    with database.read() as conn:
        return [one.version for one in load_protocol_versions(conn, "BLINA-HSCT")]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_who_only_looks_lets_no_changed_protocol_run(words, aegis, data, study):
    protocol = study / "protocol.yaml"
    protocol.write_text(f"{protocol.read_text()}# changed\n")
    assert read_protocol_versions(data) == ["1"]
    code, answer = aegis(*words, "--study", str(study))
    assert code in (0, 1)
    expected = "" if words == ["records"] else f"aegis study activate {study} --reason"
    assert expected in answer.err
    assert read_protocol_versions(data) == ["1"]


@pytest.mark.parametrize("words", [["records"], ["rules", "status"]])
def test_who_only_looks_changes_no_table_of_an_older_version(words, aegis, data):
    database = Database.open(f"sqlite:///{data / 'db' / 'aegis.db'}")
    with database.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    code, answer = aegis(*words)
    assert code == 2
    assert "the database is at revision 0001" in answer.err
    assert "run `aegis migrate`" in answer.err


@pytest.mark.parametrize("words", [["records"], ["rules", "status"], ["sites", "list"]])
def test_commands_find_the_study_from_any_folder(words, aegis, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    code, answer = aegis(*words)
    assert (code, answer.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "is_remembered"),  # or are data of a version that did not remember their study
    [(["records"], True), (["records"], False), (["rules", "status"], True)],
)
def test_another_study_is_refused(words, is_remembered, aegis, data, other_study):
    if not is_remembered:
        (data / "study.json").unlink()
    expected = (
        f"aegis {words[0]}: the data in {data} are of BLINA-HSCT, and {other_study} is the study"
        " OTHER: name other data with --data, or leave --study (AEGIS_STUDY) out\n"
    )
    assert aegis(*words, "--study", str(other_study)) == (2, ("", expected))


def test_another_study_in_the_environment_is_refused(aegis, other_study, monkeypatch):
    monkeypatch.setenv("AEGIS_STUDY", str(other_study))
    code, answer = aegis("records")
    assert code == 2
    assert f"{other_study} is the study OTHER" in answer.err


def test_a_study_that_was_moved_is_not_missed(aegis, data, study):
    moved_study = study.rename(study.with_name("moved"))
    code, answer = aegis("rules", "status")  # by the files that were activated
    assert (code, answer.err) == (0, "")
    assert aegis("sites", "list")[0] == 0
    assert aegis("rules", "status", "--study", str(moved_study))[0] == 0
    assert json.loads((data / "study.json").read_text())["folder"] == str(moved_study)


def test_a_damaged_memory_is_said(aegis, data):
    (data / "study.json").write_text("{")
    code, answer = aegis("records")
    assert code == 2
    assert answer.err.startswith(f"aegis records: {data}/study.json cannot be read: remove it")
