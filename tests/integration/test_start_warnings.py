"""A process says at its start what is wrong with it, in one line each, and runs where it can."""

import io
import json
import shutil
import socket
import threading
from contextlib import ExitStack

import httpx
import pytest

from deploy.local.places import free_port
from services.alerts.adapters.delivery_faults import list_delivery_faults, watch_mail_server
from services.alerts.adapters.smtp import make_smtp_channel
from services.alerts.channel_contract import Failure
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.cli.command import CommandError
from services.cli.demo.mail_sink import MailSink
from services.cli.main import main
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import open_in
from services.runtime import log
from services.runtime.file_error import UntrustedFileError
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings
from services.runtime.standing_warnings import StandingWarnings
from services.runtime.store_settings import read_store_settings
from services.vocabulary.person import Role
from tests.helpers.timeline import FOLDER

MAIL, HOOK = Channel.EMAIL, Channel.WEBHOOK


@pytest.fixture(autouse=True)
def log_entries():
    stream = io.StringIO()
    log.configure_logging(as_json=True, stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def make_recipients(*people):
    return Recipients({role: (Recipient(role, "A", channel, "there"),) for role, channel in people})


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text("x")
    return file


@pytest.mark.parametrize(
    ("recipients", "has_secret", "names"),
    [
        (make_recipients(), False, ["nobody_is_told"]),
        (make_recipients(("dsmb", MAIL)), False, ["no_operator"]),
        (make_recipients(("dsmb", MAIL), (Role.OPERATOR, MAIL)), False, []),
        (make_recipients((Role.OPERATOR, HOOK)), False, ["no_webhook_secret"]),
        (make_recipients((Role.OPERATOR, HOOK)), True, []),
        (make_recipients(("dsmb", HOOK)), False, ["no_operator", "no_webhook_secret"]),
    ],
)
def test_whoever_would_not_be_told_is_said(recipients, has_secret, names, secret):
    settings = AlertSettings(webhook_secret_file=secret if has_secret else None)
    assert [one.name for one in list_delivery_faults(recipients, settings)] == names


@pytest.fixture
def ports(tmp_path, monkeypatch):
    """The ports of a mail server, of one that takes a connection and greets nobody, of none."""
    monkeypatch.setattr("services.alerts.adapters.smtp._PROBE_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent_server, MailSink(tmp_path) as sink:
        silent = silent_server.getsockname()[1]
        yield {"works": sink.port, "silent": silent, "none": free_port()}


@pytest.mark.parametrize(
    ("host", "server", "problem"),
    [
        ("", "works", "AEGIS_SMTP_HOST names no mail server"),
        ("127.0.0.1", "none", "does not answer"),
        ("127.0.0.1", "silent", "does not answer"),
        ("127.0.0.1", "works", None),
    ],
)
def test_a_mail_server_is_asked_for_its_greeting(ports, host, server, problem):
    warnings, stop = StandingWarnings(), threading.Event()
    stop.set()
    watch_mail_server(warnings, AlertSettings(smtp_host=host, smtp_port=ports[server]), stop)
    problems = "".join(warnings.list_problems())
    assert problem in problems if problem else not problems


def test_the_warning_ends_when_the_mail_server_greets(tmp_path, log_entries):
    sink, warnings = MailSink(tmp_path), StandingWarnings()
    settings = AlertSettings(smtp_host="127.0.0.1", smtp_port=sink.port)
    with ExitStack() as stack:

        class Pauses:
            """The stop of a process that goes on; the server begins in the first pause."""

            def wait(self, _for_s):
                assert warnings.list_problems()
                stack.enter_context(sink)
                return False

        watch_mail_server(warnings, settings, Pauses())
    assert not warnings.list_problems()
    assert [entry["event"] for entry in log_entries()] == [
        "mail_server_unreachable",
        "warning_ended",
    ]


def test_a_warning_that_stands_is_logged_once(log_entries):
    warnings = StandingWarnings()
    for name, problem in (("x", "a"), ("x", "a"), ("y", "b"), ("x", "c")):
        warnings.begin(name, problem)
    warnings.end("x")
    warnings.end("none")
    assert [entry.get("problem") for entry in log_entries()] == ["a", "b", "c", None]
    assert warnings.list_problems() == ["b"]


def test_without_a_mail_server_a_mail_waits():
    send = make_smtp_channel(AlertSettings(smtp_host=""))
    assert send(None, "a@example.org") == Failure("AEGIS_SMTP_HOST names no mail server")


def copy_study(folder, *, recipients=None, sites=True):
    """Return a copy of the trial's study, with other *recipients* (None: no such file)."""
    study = shutil.copytree(FOLDER, folder)
    (study / "recipients.yaml").unlink()
    if recipients is not None:
        (study / "recipients.yaml").write_text(recipients)
    if not sites:
        (study / "sites.yaml").unlink()
    return study


WITHOUT_OPERATOR = (FOLDER / "recipients.yaml").read_text().partition("  operator:")[0]


@pytest.fixture
def serve(tmp_path):
    """Return a function that runs the service of a study, and what its page says."""

    def serve(study):
        context = open_in(read_store_settings(data=tmp_path / "data", database_url="", study=study))
        settings = ProcessSettings(
            IngestSettings(mllp_port=0),
            HttpSettings(http_port=0),
            AlertSettings(smtp_host="127.0.0.1", smtp_port=free_port()),
        )
        try:
            background = Background(Service(context, settings))
            ports = background.start()
            try:
                return httpx.get(f"http://127.0.0.1:{ports.http}/readyz").json()
            finally:
                background.stop()
        finally:
            context.db.close()

    return serve


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipients", "problem"),
    [
        (WITHOUT_OPERATOR, "recipients.yaml names no operator"),
        (None, "there is no recipients.yaml: nobody is told of alerts"),
    ],
)
def test_a_service_that_can_work_does_and_says_what_it_lacks(
    serve, tmp_path, recipients, problem, log_entries
):
    page = serve(copy_study(tmp_path / "study", recipients=recipients))
    assert page["ready"]
    assert any(one.startswith(problem) for one in page["warnings"])
    assert any("DRAFT, signed by nobody" in one for one in page["warnings"])
    logged_problems = [entry["problem"] for entry in log_entries() if entry["level"] == "warning"]
    assert set(page["warnings"]) <= set(logged_problems)
    assert len(logged_problems) == len(set(logged_problems))


@pytest.mark.slow
def test_a_service_that_could_read_no_message_does_not_start(serve, tmp_path):
    study = copy_study(tmp_path / "study", recipients=WITHOUT_OPERATOR, sites=False)
    with pytest.raises((UntrustedFileError, CommandError), match=r"sites\.yaml"):
        serve(study)


def test_the_check_of_a_study_still_asks_for_an_operator(tmp_path, capsys):
    study = copy_study(tmp_path / "study", recipients=WITHOUT_OPERATOR)
    assert main(["protocol", "check", str(study)]) == 2
    assert "recipients.yaml, roles: has no operator" in capsys.readouterr().err
