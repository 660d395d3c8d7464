"""``aegis ingest``, ``parked`` and ``participants`` as an engineer of a site uses them."""

import io
import os
import shutil
from pathlib import Path

import pytest

from services.cli.main import main
from services.ingest.domain.hl7.frames import frame_message
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.intake import people
from tests.helpers.people import sign_in

pytestmark = pytest.mark.slow

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"
PERSON = "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"
SENDER = {"sender": "EPIC|NORTH"}
MESSAGE = labs(obx("0.49"), control_id="1", **SENDER)
TWO = labs(obx("HEMOLYZED", kind="ST"), control_id="2", **SENDER)
BAD = labs(obx("1"), control_id="", **SENDER)
FACT = b'{"subject":"P-001","observed_at":"2026-03-01T08:00:00Z","body":{"kind":"relapse"}}\n'


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("enrolled")
    file = folder / "people.csv"
    file.write_bytes(people(PERSON))
    assert main(["participants", "import", str(file), *options(folder / "data")]) == 0
    return folder / "data"


def options(data):
    return "--data", str(data), "--study", str(STUDY)


@pytest.fixture
def aegis(enrolled, tmp_path, capsys):
    """Run a command on data with one participant: its exit code, and what it printed where."""
    data = tmp_path / "data"
    shutil.copytree(enrolled, data)

    def run_command(*words):
        capsys.readouterr()
        code = main([*words, *options(data)])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run_command


@pytest.fixture
def feed(tmp_path):
    folder = tmp_path / "feed"
    (folder / "later").mkdir(parents=True)
    return folder


def test_a_folder_is_read_whole_and_counted(aegis, feed):
    (feed / "a.hl7").write_bytes(MESSAGE.replace(b"\r", b"\r\n"))
    (feed / "b.hl7").write_bytes(frame_message(TWO) + frame_message(BAD))
    (feed / "later" / "c.ndjson").write_bytes(FACT + b"oops\n")
    code, folder, err = aegis("ingest", str(feed))
    assert folder.splitlines()[0] == (
        "5 messages, 4 accepted, 0 of them duplicates, 1 refused, 2 facts,"
        " 2 parked (1 unreadable-line, 1 unreadable-value)"
    )
    assert "b.hl7, message 2: MSH-10: there is no message control id; give" in err
    assert "b.hl7, message 1: OBX[1].5: unreadable-value" in err
    assert "c.ndjson, line 2: unreadable-line: is no JSON object" in err
    assert code == 1


def test_a_line_of_two_subjects_is_parked_and_names_the_key(aegis, feed):
    (feed / "c.ndjson").write_bytes(FACT.replace(b"{", b'{"subject":"P-002",', 1))
    code, output, err = aegis("ingest", str(feed))
    assert "0 facts, 1 parked (1 unreadable-line)" in output
    assert "c.ndjson, line 1: unreadable-line: the key 'subject' comes twice in one object" in err
    assert code == 0


def test_the_same_again_is_duplicates_and_nothing_is_wrong(aegis, feed):
    (feed / "a.hl7").write_bytes(MESSAGE + TWO)
    first, second = (aegis("ingest", str(feed)) for _ in "12")
    assert (first[0], second[0]) == (0, 0)
    assert second[1].startswith("2 messages, 2 accepted, 2 of them duplicates, 0 refused, 0 facts")


def test_standard_input_is_read(aegis, monkeypatch):
    class Input:
        buffer = io.BytesIO(MESSAGE)

    monkeypatch.setattr("sys.stdin", Input)
    code, folder, _ = aegis("ingest", "-")
    assert (code, folder.startswith("1 messages, 1 accepted")) == (0, True)


def test_what_is_not_there_is_said_before_anything_is_stored(aegis, feed):
    (feed / "a.hl7").write_bytes(MESSAGE)
    code, folder, err = aegis("ingest", str(feed), str(feed / "nothing.hl7"))
    assert (code, folder) == (2, "")
    assert "nothing.hl7: there is no such file or folder; nothing was read" in err
    assert aegis("ingest", str(feed))[1].startswith("1 messages, 1 accepted, 0 of them duplicates")


def test_an_empty_folder_is_said(aegis, feed):
    code, _, err = aegis("ingest", str(feed))
    assert (code, "there is no file in this folder" in err) == (2, True)


def test_an_empty_file_is_said_and_the_others_are_read(aegis, feed):
    (feed / "a.hl7").write_bytes(b"")
    (feed / "b.hl7").write_bytes(MESSAGE)
    code, folder, err = aegis("ingest", str(feed))
    assert (code, "a.hl7: is empty" in err, folder.startswith("1 messages, 1 acc")) == (
        1,
        True,
        True,
    )


def test_what_is_no_file_is_left_alone_and_the_others_are_read(aegis, feed):
    os.mkfifo(feed / "pipe")  # reading it would never end
    (feed / "a.hl7").symlink_to(feed / "nowhere")
    (feed / "b.hl7").write_bytes(MESSAGE)
    code, folder, _ = aegis("ingest", str(feed))
    assert (code, folder.startswith("1 messages, 1 accepted")) == (0, True)


def test_a_batch_that_does_not_add_up_is_read_and_said(aegis, feed):
    (feed / "a.hl7").write_bytes(b"BHS|^~\\&\r" + MESSAGE + TWO + b"BTS|3\r")
    code, folder, err = aegis("ingest", str(feed))
    assert "a.hl7: BTS-1 says 3 messages, there are 2" in err
    assert (code, folder.startswith("2 messages, 2 accepted")) == (1, True)


def test_many_refusals_are_counted_and_not_all_told(aegis, feed):
    (feed / "a.hl7").write_bytes(BAD * 50)
    _, folder, err = aegis("ingest", str(feed))
    assert folder.startswith("50 messages, 0 accepted, 0 of them duplicates, 50 refused")
    assert err.splitlines()[-1] == "refused: 30 more"
    assert len(err.splitlines()) == 21


def test_parked_items_are_listed_retried_and_discarded_by_name(aegis, feed, tmp_path):
    (feed / "a.hl7").write_bytes(TWO)
    aegis("ingest", str(feed))
    code, folder, _ = aegis("parked", "list")
    item, site, *_ = folder.splitlines()[1].split()
    assert (code, site, "OBX[1].5" in folder, len(item)) == (0, "north", True, 8)
    assert aegis("parked", "retry")[1] == "0 facts, 0 items closed, 1 still waits\n"
    assert aegis("parked", "list", "--site", "rhein")[1] == "nothing is parked\n"
    assert aegis("parked", "discard", item, "--reason", "why")[0] == 2  # by whom?
    sign_in(tmp_path / "data", "lee")
    for items, reason, says in (
        ([""], "why", "0 parked items begin with ''"),
        (["zz"], "why", "0 parked items begin with 'zz'"),
    ):
        code, _, err = aegis("parked", "discard", *items, "--reason", reason)
        assert (code, says in err) == (2, True), err
    with pytest.raises(SystemExit, match="2"):
        aegis("parked", "discard", item, "--reason", " ")
    code, folder, _ = aegis("parked", "discard", item, "--reason", "specimen thrown away")
    assert (code, folder) == (0, "1 item discarded; its message is kept\n")
    assert aegis("parked", "list")[1] == "nothing is parked\n"


def test_an_import_says_which_rows_it_left_out_and_retries_what_waited(aegis, tmp_path):
    subjects_waiting = tmp_path / "a.hl7"
    subjects_waiting.write_bytes(MESSAGE.replace(b"QX4711", b"QX4712"))
    assert "1 parked (1 unknown-participant)" in aegis("ingest", str(subjects_waiting))[1]
    file = tmp_path / "people.csv"
    second = PERSON.replace("P-001", "P-002").replace("QX4711", "QX4712")
    file.write_bytes(people(second, second.replace("P-002", "P-003").replace("2026-01-01", "soon")))
    code, folder, _ = aegis("participants", "import", str(file))
    assert code == 1
    assert "people.csv: line 3: transplant_at: write it as 2026-03-01T08:00" in folder
    assert "1 new, 0 changed, 1 lines left out" in folder
    assert "1 facts that were parked are known now" in folder


def test_a_typo_in_the_sites_file_stops_the_command_that_would_let_it_run(aegis, tmp_path, capsys):
    study = tmp_path / "study"
    shutil.copytree(STUDY, study)
    sites = study / "sites.yaml"
    sites.write_text(sites.read_text().replace("senders", "sender", 1))
    file = tmp_path / "a.hl7"
    file.write_bytes(MESSAGE)
    code = main(["ingest", str(file), "--data", str(tmp_path / "new"), "--study", str(study)])
    assert code == 2
    output = capsys.readouterr().err
    assert f"aegis ingest: {sites} line " in output
    assert ".sender: there is no such key; did you mean 'senders'?" in output
    assert aegis("ingest", str(file))[1].startswith("1 messages, 1 accepted")
