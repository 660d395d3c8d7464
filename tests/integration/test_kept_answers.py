"""Kept answers are those of the data, the study and the question, or are not used."""

import json
import shutil

import pytest

from services.cli.main import main
from services.runtime.store_settings import read_store_settings
from services.simulator.trial import simulate_trial
from services.store.data_revision import find_data_revision
from services.store.records import load_latest_episodes
from services.store.session import Database
from tests.helpers.installation import STUDY, Installation, messages_of

pytestmark = pytest.mark.slow

COMMANDS = (("rules", "status"), ("rules", "sites"), ("endpoints",), ("explain", "RECORD"))


@pytest.fixture(scope="module")
def graded_folder(tmp_path_factory):
    """Return a folder with a study, and data of four participants of whom most is graded."""
    folder = tmp_path_factory.mktemp("graded")
    shutil.copytree(STUDY, folder / "study")
    trial = simulate_trial(4, seed=7, days=20)
    installation = Installation(folder / "data", study=folder / "study")
    installation.enrol(trial)
    messages = messages_of(trial)
    installation.accept(messages[: len(messages) // 2])
    installation.settle()
    installation.db.close()
    return folder


@pytest.fixture
def folder(graded_folder, tmp_path, monkeypatch):
    monkeypatch.delenv("AEGIS_STUDY", raising=False)
    copy = shutil.copytree(graded_folder, tmp_path / "copy")
    remembered_file = copy / "data" / "study.json"
    content = json.loads(remembered_file.read_text()) | {"folder": str(copy / "study")}
    remembered_file.write_text(json.dumps(content))
    return copy


@pytest.fixture
def ask(folder, capsys):
    def ask_command(*words):
        capsys.readouterr()
        start = find_record_id(folder)[:8]
        words_said = [start if word == "RECORD" else word for word in words]
        assert main([*words_said, "--data", str(folder / "data")]) == 0
        return capsys.readouterr().out

    return ask_command


def find_record_id(folder):
    """Return the id of a record of the data in *folder*."""
    db = Database.open(read_store_settings(data=folder / "data").database)
    with db.read() as conn:
        return min(one.id for one in load_latest_episodes(conn))


def mark(folder, word):
    """Write other words over the answer that is kept, so that its use can be seen."""
    file = folder / "data" / "answers" / f"{word}.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"answer": "kept"}))


@pytest.mark.parametrize("words", [*COMMANDS, *((*one, "--json") for one in COMMANDS)])
def test_the_same_question_has_the_same_answer_which_is_kept(ask, folder, words):
    first_answer = ask(*words)
    assert first_answer == ask(*words)
    assert "kept" not in first_answer
    (file,) = (folder / "data" / "answers").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    mark(folder, file.stem)
    assert ask(*words) == "kept\n"


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "status", "--as-of", "2026-02-20T00:00Z"),
        ("rules", "status", "--json"),
        ("rules", "sites"),
    ],
)
def test_another_question_is_not_answered_by_it(ask, folder, words):
    ask("rules", "status")
    mark(folder, "rules_status")
    assert "kept" not in ask(*words)


def test_more_facts_make_another_answer(ask, folder):
    first_answer = ask("rules", "status")
    mark(folder, "rules_status")
    installation = Installation(folder / "data", study=folder / "study")
    trial = simulate_trial(4, seed=7, days=20)
    messages = messages_of(trial)
    installation.accept(messages[len(messages) // 2 :])
    unfolded_answer = ask("rules", "status")
    assert unfolded_answer != "kept\n"  # what waits to be graded was received
    mark(folder, "rules_status")
    installation.settle()
    installation.db.close()
    assert ask("rules", "status") not in (first_answer, "kept\n")


@pytest.mark.parametrize("file", ["sites.yaml", "protocol.yaml"])
def test_a_file_of_the_study_that_is_edited_makes_another_answer_once_it_is_activated(
    ask, folder, file, capsys
):
    answer = ask("rules", "status")
    mark(folder, "rules_status")
    path, data = folder / "study" / file, ["--data", str(folder / "data")]
    changed_text = path.read_text().replace('version: "1"', 'version: "2"')
    path.write_text(changed_text + "# a word more\n")
    for _ in range(2):  # it is spoken of each time, and nothing runs by it
        main(["rules", "status", *data])
        captured = capsys.readouterr()
        assert captured.out == answer
        assert f"{file} there and what runs are not the same" in captured.err
    mark(folder, "rules_status")
    words = ["study", "activate", str(folder / "study"), "--reason", "a word more"]
    assert main([*words, *data]) == 0
    capsys.readouterr()
    version = "v2" if file == "protocol.yaml" else "v1"
    assert ask("rules", "status") == answer.replace("protocol v1", f"protocol {version}")
    assert capsys.readouterr().err == ""


def test_a_file_of_the_study_that_is_wrong_changes_no_answer(folder, ask, capsys):
    answer = ask("endpoints")
    (folder / "study" / "sites.yaml").write_text("sites: [{}]\n")
    assert main(["endpoints", "--data", str(folder / "data")]) == 0
    captured = capsys.readouterr()
    assert captured.out == answer
    assert "sites.yaml there and what runs are not the same" in captured.err


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"key": 1}', "\0"])
def test_an_answer_that_cannot_be_read_is_made_again(ask, folder, content):
    answer = ask("rules", "status")
    (folder / "data" / "answers" / "rules_status.json").write_text(content)
    assert ask("rules", "status") == answer


def test_without_a_place_for_it_the_answer_is_the_same(ask, folder):
    (folder / "data" / "answers").write_text("")
    assert ask("rules", "status") == ask("rules", "status")


def test_data_that_were_put_back_and_went_on_otherwise_have_another_revision(folder):
    revisions = set()
    for actor in ("one", "other"):
        shutil.copytree(folder / "data", folder / actor)
        installation = Installation(folder / actor, study=folder / "study")
        trial = simulate_trial(4, seed=7, days=20)
        messages = messages_of(trial)
        start = len(messages) // 2 + (0 if actor == "one" else 1)
        installation.accept(messages[start : start + 1])
        with installation.db.read() as conn:
            revisions.add(find_data_revision(conn, installation.context.study_id))
            revisions.add(find_data_revision(conn, installation.context.study_id))
        installation.db.close()
    assert len(revisions) == 2
