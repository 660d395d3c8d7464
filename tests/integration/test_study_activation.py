"""A study runs by the files that a person activated: at once, in every process, and by no other."""

import json
import shutil
import threading
import time
from pathlib import Path

import httpx
import pytest

from services.acts.study_files import read_study_files
from services.cli.main import main
from services.cli.process.study_watch import StudyWatch
from services.cli.shared.open_study import open_in
from services.ingest.mllp_client import send_messages
from services.runtime.clock import now_utc
from services.runtime.standing_warnings import StandingWarnings
from services.runtime.store_settings import read_store_settings
from services.store import acts, study_files
from services.store.acts import ActFilter
from services.store.session import Database
from services.vocabulary.act import ActKind
from services.vocabulary.person import Role
from tests.helpers.embedded_service import EmbeddedService
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.intake import people
from tests.helpers.people import sign_in
from tests.helpers.timeline import FOLDER

pytestmark = pytest.mark.slow

PERSON = "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"
REASON = ["--reason", "amendment 2"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.delenv("AEGIS_STUDY", raising=False)
    return Path(shutil.copytree(FOLDER, tmp_path / "study"))


@pytest.fixture
def data(tmp_path, study):
    file = tmp_path / "people.csv"
    file.write_bytes(people(PERSON))
    folder = tmp_path / "data"
    words = ["participants", "import", str(file), "--data", str(folder), "--study", str(study)]
    assert main(words) == 0
    return folder


@pytest.fixture
def aegis(data, capsys):
    def run_command(*words):
        capsys.readouterr()
        code = main([*words, "--data", str(data)])
        return code, capsys.readouterr()

    return run_command


def change(study, old, new, file="sites.yaml"):
    """Write *new* for *old* in a file of *study*."""
    text = (study / file).read_text()
    assert old in text
    (study / file).write_text(text.replace(old, new))


def load_activations(data):
    database = Database.open(f"sqlite:///{data / 'db' / 'aegis.db'}")
    with database.read() as conn:
        activations = study_files.load_activations(conn, "BLINA-HSCT")
        found_acts = acts.load_acts(conn, ActFilter(kinds=[ActKind.ACTIVATE_STUDY]))
    database.close()
    return activations, found_acts


def test_the_first_command_activates_the_study_as_the_machine(data):
    ((activation,), (act,)) = load_activations(data)
    assert (act.actor.id, act.actor.role, act.reason.split(":")[0]) == ("machine", None, "initial")
    assert set(activation.files) == {"protocol.yaml", "sites.yaml", "recipients.yaml"}
    assert activation.criteria == "ctcae-5.0"


@pytest.mark.part11("11.10(k)")
def test_files_that_are_edited_run_once_somebody_activates_them(aegis, study, data):
    change(study, "id: rhein", "id: spree")
    code, answer = aegis("sites", "list")
    assert (code, "rhein" in answer.out, "spree" in answer.out) == (0, True, False)
    code, answer = aegis("parked", "retry")  # a command that writes activates nothing either
    assert "sites.yaml there and what runs are not the same" in answer.err
    assert len(load_activations(data)[0]) == 1
    code, answer = aegis("study", "activate", str(study), *REASON)
    assert code == 0
    assert "-  - id: rhein" in answer.out
    assert "+  - id: spree" in answer.out
    assert "spree" in aegis("sites", "list")[1].out
    activations, (_, act) = load_activations(data)
    assert [len(one.files) for one in activations] == [3, 3]
    assert (act.reason, act.new_value.partition("changed: ")[2]) == ("amendment 2", "sites.yaml")
    code, answer = aegis("study", "activate", str(study), *REASON)
    assert (code, len(load_activations(data)[0])) == (0, 2)
    assert "is what runs already: nothing is activated" in answer.out


def test_a_recipient_who_is_nobody_is_made_first(aegis, study, data):
    sign_in(data, "ada", Role.ADMINISTRATOR, Role.SAFETY_OFFICER)
    change(study, "person: member", "person: ghost", "recipients.yaml")
    code, answer = aegis("study", "activate", str(study), *REASON)
    assert code == 2
    assert "names ghost, and nobody is called so" in answer.err
    assert len(load_activations(data)[0]) == 1
    change(study, "person: ghost", "person: ada", "recipients.yaml")
    assert aegis("study", "activate", str(study), *REASON)[0] == 0


@pytest.mark.part11("11.10(k)")
def test_files_of_long_ago_run_again(aegis, study, data, tmp_path):
    earlier = Path(shutil.copytree(study, tmp_path / "earlier"))
    change(study, 'version: "1"', 'version: "2"', "protocol.yaml")
    assert aegis("study", "activate", str(study), *REASON)[0] == 0
    assert "protocol v2 " in aegis("rules", "status", "--json")[1].out
    assert aegis("study", "activate", str(earlier), *REASON)[0] == 0
    assert "protocol v1 " in aegis("rules", "status", "--json")[1].out
    lines = [json.loads(one) for one in aegis("study", "list", "--json")[1].out.splitlines()]
    assert [line["reason"].split(":")[0] for line in lines] == ["initial", *REASON[1:] * 2]
    assert lines[0]["files"] == lines[2]["files"]
    assert json.loads((data / "study.json").read_text())["folder"] == str(earlier)


@pytest.mark.parametrize(
    ("slip", "problem"),
    [
        (("America/New_York", "Mars/Olympus", "sites.yaml"), "is no IANA time zone"),
        (("BLINA-HSCT", "OTHER", "protocol.yaml"), "is the study OTHER"),
        (("email:", "mail:", "recipients.yaml"), "recipients.yaml line "),
    ],
)
def test_files_that_cannot_be_trusted_are_not_activated(aegis, study, data, slip, problem):
    change(study, *slip)
    code, answer = aegis("study", "activate", str(study), *REASON)
    assert (code, problem in answer.err) == (2, True), answer.err
    assert len(load_activations(data)[0]) == 1


@pytest.mark.parametrize("words", [["--reason", "  "], []])
def test_an_activation_has_a_reason(aegis, study, data, words):
    change(study, "id: rhein", "id: spree")
    with pytest.raises(SystemExit) as exit_error:
        aegis("study", "activate", str(study), *words)
    assert exit_error.value.code == 2
    assert len(load_activations(data)[0]) == 1


def test_a_changed_protocol_has_a_version_of_its_own(aegis, study, data):
    change(study, "grade_at_least: 3", "grade_at_least: 2", "protocol.yaml")
    code, answer = aegis("study", "activate", str(study), *REASON)
    assert code == 2
    assert "protocol.yaml is not the protocol v1 that ran: nothing is activated" in answer.err
    assert len(load_activations(data)[0]) == 1
    change(study, 'version: "1', 'version: "2', "protocol.yaml")
    assert aegis("study", "activate", str(study), *REASON)[0] == 0
    change(study, 'version: "2', 'version: "1', "protocol.yaml")
    change(study, "grade_at_least: 2", "grade_at_least: 3", "protocol.yaml")
    assert aegis("study", "activate", str(study), *REASON)[0] == 0  # the first runs again


def test_to_compare_activates_nothing(aegis, study, data):
    assert aegis("study", "diff", str(study)) == (0, (f"{study} is what runs\n", ""))
    change(study, "id: rhein", "id: spree")
    code, answer = aegis("study", "diff", str(study))
    assert (code, "+  - id: spree" in answer.out) == (1, True)
    assert len(load_activations(data)[0]) == 1


def test_a_signed_protocol_says_who_signed_it(aegis, data):
    password = sign_in(data, "ann", Role.STATISTICIAN)
    signature = ["study", "sign", "--reason", "design report 3"]
    wrong_file = data / "wrong.txt"
    wrong_file.write_text("not the password")
    wrong_file.chmod(0o600)
    code, answer = aegis(*signature, "--password-file", str(wrong_file))
    assert (code, "nothing is signed" in answer.err) == (2, True)
    assert "DRAFT" in aegis("rules", "status", "--json")[1].out
    code, answer = aegis(*signature, *password)
    assert code == 0, answer.err
    assert "protocol v1 signed by ann, statistician, " in aegis("rules", "status", "--json")[1].out
    code, answer = aegis(*signature, *password)
    assert (code, "nothing is signed again" in answer.err) == (2, True)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_an_administrator_activates(aegis, study, data, role):
    change(study, "id: rhein", "id: spree")
    sign_in(data, "lee", role, site="north")
    code, answer = aegis("study", "activate", str(study), *REASON)
    assert (code, "administrator may" in answer.err) == (2, True)
    assert len(load_activations(data)[0]) == 1


def wait_for(condition, seconds=20):
    """Wait until *condition* holds, and fail if it does not."""
    ends_at_s = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends_at_s
        time.sleep(0.1)


def test_a_running_service_takes_new_files_at_its_ports_and_keeps_those_that_it_can_read(
    tmp_path, study
):
    service = EmbeddedService(tmp_path / "served", study=study)
    file = tmp_path / "people.csv"
    file.write_bytes(people(PERSON))
    service.command("participants", "import", str(file))
    assert service.start()
    ports = service.mllp, service.http

    def send(number):
        raw = labs(obx("0.49"), control_id=str(number), sender="EPIC|SOUTH")
        (answer,) = send_messages("127.0.0.1", service.mllp, [raw])
        return answer.code

    assert send(1) == "AR"  # an unknown sender
    change(study, '["EPIC|NORTH"]', '["EPIC|NORTH", "EPIC|SOUTH"]')
    service.command("study", "activate", str(study), *REASON)

    def is_taken():
        try:
            return send(2) == "AA"
        except OSError:
            return False

    wait_for(is_taken)
    assert (service.mllp, service.http) == ports
    wait_for(lambda: httpx.get(f"http://127.0.0.1:{service.http}/readyz").status_code == 200)
    assert service.stop() == 0


def test_files_that_a_process_cannot_run_by_are_a_warning_and_the_next_are_taken(data, study):
    context = open_in(read_store_settings(data=data, study=study))
    warnings, changes = StandingWarnings(), []
    watch = StudyWatch(context, warnings, lambda: changes.append(1))
    contents = dict(read_study_files(study))
    rows = [("a", contents | {"sites.yaml": "sites: [{id: north}]"}), ("b", contents)]
    stop = threading.Event()
    thread = threading.Thread(target=watch.run, args=(stop,), daemon=True)
    thread.start()
    for number, (name, texts) in enumerate(rows):
        hashes = {file: study_files.hash_content(text) for file, text in texts.items()}
        activation = study_files.StudyActivation(
            name, context.study_id, now_utc(), name, hashes, "ctcae-5.0", "r"
        )
        with context.db.write() as conn:
            study_files.append_activation(conn, activation, texts, "ann")
        wait_for(lambda: changes if number else warnings.list_problems())  # noqa: B023
    stop.set()
    thread.join()
    assert "sites.yaml line 1" in " ".join(warnings.list_problems())
    context.db.close()
