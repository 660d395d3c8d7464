"""The contract of a channel, by its real protocol on a real socket: mail, webhook, and a fake."""

import hashlib
import hmac
import itertools
import json
import re
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from httpcore._backends.sync import SyncStream
from pydantic import SecretStr

from deploy.local.places import free_port
from services.alerts.adapters import smtp, webhook
from services.alerts.adapters.alertmanager import make_alertmanager_channel, write_alert
from services.alerts.adapters.chat import make_chat_channel
from services.alerts.adapters.smtp import make_mail, make_smtp_channel
from services.alerts.adapters.webhook import make_webhook_channel
from services.alerts.channel_contract import Acceptance, Failure, Letter, contain_errors
from services.alerts.domain.wording import Text
from services.runtime.settings import AlertSettings
from services.vocabulary.alert import ClosingReason, Level
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.store import ALERT

SECRET = "a shared secret"  # noqa: S105  of these tests alone
PNG = b"\x89PNG\r\n\x1a\n"
LINK = "https://aegis.example.org/alerts/TOKEN"
LETTER = Letter(
    id="5d0c1e0a-7a1e-5b1c-9d53-0d5a1f1f0b11",
    alert=replace(ALERT, protocol="protocol v1 DRAFT, signed by nobody"),
    reason="first",
    text=Text(
        "[T] P-001: anemia, grade 3, suspected   (alert 7K2F, protocol v1 DRAFT)",
        f"Suspected. Anemia ≥ 3.\nAcknowledge: {LINK}\n",
        LINK,
    ),
    picture=PNG,
    dated_at=HOUR_ZERO,
)


class Mail:
    """A mail server: takes everything, or answers one command with another reply."""

    name = "email"
    address = "chair@example.org"

    def __init__(self):
        self.mails = []
        self.replies = {}
        self.controller = None
        self.port = free_port()

    def start(self, **options):
        options = {"ready_timeout": 60, **options}
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self.controller.start()

    def stop(self):
        if self.controller is not None:
            self.controller.stop()

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if "RCPT" in self.replies:
            return self.replies["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, _server, _session, envelope, address, _options):  # noqa: N802
        if "MAIL" in self.replies:
            return self.replies["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    async def handle_QUIT(self, _server, _session, _envelope):  # noqa: N802
        return self.replies.get("QUIT", "221 Bye")

    def channel(self):
        return make_smtp_channel(
            AlertSettings(smtp_host="127.0.0.1", smtp_port=self.port, smtp_from="aegis@x.org")
        )

    def answers(self, how):
        self.replies = {"later": {"RCPT": "451 later"}, "never": {"RCPT": "550 no such user"}}[how]

    def ids(self):
        return [mail["Message-ID"] for mail in self.mails]


class Hook:
    """A web server that remembers what was posted to it, and answers as it is told."""

    name = "webhook"

    def __init__(self, tmp_path):
        self.requests = []
        self.status = 204
        self.answer_bytes = 0
        self.silent_until = threading.Event()
        self.silent_until.set()
        self.server = None
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/hook"
        self.secret = tmp_path / "secret"
        self.secret.write_text(f"{SECRET}\n")

    def start(self):
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.requests.append((dict(self.headers), body))
                hook.silent_until.wait(10)
                self.send_response(hook.status)
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(b"x" * hook.answer_bytes)

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.silent_until.set()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()

    def channel(self):
        return make_webhook_channel(AlertSettings(webhook_secret_file=self.secret))

    def answers(self, how):
        self.status = {"later": 500, "never": 400}[how]

    def ids(self):
        return [headers["Idempotency-Key"] for headers, _ in self.requests]


class Manager(Hook):
    """An Alertmanager as far as the channel knows it: what was posted, and the status it says."""

    name = "alertmanager"

    def __init__(self, tmp_path):
        super().__init__(tmp_path)
        self.address = f"http://127.0.0.1:{self.port}"

    def channel(self):
        channel = make_alertmanager_channel(AlertSettings())

        def send(letter, address):  # the suite's letter is about a participant
            alert = replace(letter.alert, level=Level.OPERATIONS)
            return channel(replace(letter, alert=alert), address)

        return send

    def ids(self):
        return [json.loads(body)[0]["annotations"]["delivery"] for _, body in self.requests]


class Chat(Hook):
    """A chat that Apprise posts JSON to."""

    name = "chat"

    def __init__(self, tmp_path):
        super().__init__(tmp_path)
        self.address = "desk"
        self.urls = tmp_path / "chats"
        self.urls.write_text(f"# name, URL\n\ndesk json://127.0.0.1:{self.port}/token-of-desk\n")

    def channel(self):
        return make_chat_channel(AlertSettings(chat_urls_file=self.urls))

    def answers(self, how):
        super().answers(how)
        if how == "never":
            self.urls.write_text("desk nonsense://x\n")

    def ids(self):
        return [json.loads(body)["message"].split("notice ")[1][:36] for _, body in self.requests]


class Fake:
    """The channel that tests of the delivery worker use instead of a server."""

    name = "fake"
    address = "chair@example.org"

    def __init__(self):
        self.letters = []
        self.answer = Failure("not reached")

    def start(self):
        self.answer = Acceptance()

    def stop(self):
        self.answer = Failure("not reached")

    def channel(self):
        def send(letter, _address):
            if isinstance(self.answer, Acceptance):
                self.letters.append(letter)
            return self.answer

        return send

    def answers(self, how):
        self.answer = Failure("refused", can_retry=how == "later")

    def ids(self):
        return [letter.id for letter in self.letters]


@pytest.fixture
def mail():
    server = Mail()
    yield server
    server.stop()


@pytest.fixture
def hook(tmp_path):
    server = Hook(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def manager(tmp_path):
    server = Manager(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def chat(tmp_path):
    server = Chat(tmp_path)
    yield server
    server.stop()


@pytest.fixture(params=["mail", "hook", "manager", "chat", "fake"])
def other_side(request):
    return Fake() if request.param == "fake" else request.getfixturevalue(request.param)


def test_a_letter_that_was_taken_is_sent_once(other_side):
    other_side.start()
    assert other_side.channel()(LETTER, other_side.address) == Acceptance()
    assert len(other_side.ids()) == 1


def test_a_letter_sent_twice_has_the_same_id_so_that_the_second_is_recognised(other_side):
    other_side.start()
    send = other_side.channel()
    send(LETTER, other_side.address)
    send(replace(LETTER, dated_at=hours(1)), other_side.address)
    first, second = other_side.ids()
    assert first == second
    assert LETTER.id in first


def test_what_is_refused_for_now_can_be_tried_again(other_side):
    other_side.start()
    other_side.answers("later")
    result = other_side.channel()(LETTER, other_side.address)
    assert isinstance(result, Failure)
    assert result.can_retry


def test_what_is_refused_for_good_is_not_tried_again(other_side):
    other_side.start()
    other_side.answers("never")
    result = other_side.channel()(LETTER, other_side.address)
    assert isinstance(result, Failure)
    assert not result.can_retry


def test_a_server_that_is_down_is_tried_again(other_side):
    result = other_side.channel()(LETTER, other_side.address)
    assert isinstance(result, Failure)
    assert result.can_retry


def test_no_problem_names_the_address(other_side):
    problems = [other_side.channel()(LETTER, other_side.address).problem]
    other_side.start()
    for how in ("later", "never"):
        other_side.answers(how)
        problems.append(other_side.channel()(LETTER, other_side.address).problem)
    for problem in problems:
        assert problem
        assert other_side.address not in problem


def test_a_mail_has_plain_text_first_html_second_and_the_chart_attached(mail):
    mail.start()
    mail.channel()(LETTER, mail.address)
    (got,) = mail.mails
    assert (got["From"], got["To"]) == ("aegis@x.org", mail.address)
    assert got["Subject"] == LETTER.text.subject
    assert got["X-Aegis-Alert"] == ALERT.id
    assert got["X-Aegis-Reason"] == "first"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime == HOUR_ZERO
    words, picture = got.iter_parts()
    plain, page = words.iter_parts()
    html, inline_picture = page.iter_parts()
    assert words.get_content_type() == "multipart/alternative"
    assert plain.get_content_type() == "text/plain"
    assert plain.get_content().splitlines() == LETTER.text.body.splitlines()
    assert html.get_content_type() == "text/html"
    assert "Anemia ≥ 3." in html.get_content()
    assert f'<a href="{LINK}">' in html.get_content()
    assert inline_picture["Content-Disposition"] == "inline"
    assert inline_picture.get_content() == PNG
    content_id = inline_picture["Content-ID"].strip("<>")
    assert f'<img src="cid:{content_id}"' in html.get_content()
    assert (got["In-Reply-To"], got["References"]) == (None, None)
    assert picture.get_filename() == "e1.png"
    assert picture.get_content() == PNG


@pytest.mark.parametrize(
    ("count", "references"), [(1, [0]), (10, range(10)), (30, [0, *range(21, 30)])]
)
def test_the_mails_about_one_alert_are_one_thread(count, references):
    ids = tuple(f"{number:036d}" for number in range(count))
    mail = make_mail(replace(LETTER, earlier_ids=ids), "aegis@x.org", "chair@x.org")
    first = make_mail(replace(LETTER, id=ids[-1]), "aegis@x.org", "chair@x.org")
    assert mail["In-Reply-To"] == first["Message-ID"]
    assert mail["References"].split() == [f"<{ids[n]}@aegis.invalid>" for n in references]
    assert max(map(len, mail.as_bytes().splitlines())) <= 78


def test_an_alertmanager_is_told_of_machines_alone_and_of_one_alert_as_one(manager):
    manager.start()
    refusal = make_alertmanager_channel(AlertSettings())(LETTER, manager.address)
    assert refusal == Failure("an Alertmanager is told of machines and feeds alone", False)
    assert manager.requests == []
    send = manager.channel()
    send(LETTER, manager.address)
    retracted_alert = replace(LETTER.alert, retracted=True, version=2)
    send(replace(LETTER, alert=retracted_alert, dated_at=hours(2)), manager.address)
    first, last = (json.loads(body)[0] for _, body in manager.requests)
    assert first["labels"] == last["labels"]
    assert first["startsAt"] == last["startsAt"] == HOUR_ZERO.isoformat()
    assert (first["endsAt"], last["endsAt"]) == (hours(2).isoformat(), hours(2).isoformat())
    assert first["annotations"]["summary"] == LETTER.text.subject


@pytest.mark.parametrize(
    ("state", "ends_at"),
    [
        ({}, hours(2 + 48)),  # twice its time to acknowledge
        ({"retracted": True}, hours(2)),
        ({"closed": ClosingReason.NO_LONGER_SO}, hours(2)),
    ],
)
def test_an_alert_that_is_closed_or_retracted_ends_in_the_alertmanager(state, ends_at):
    alert = replace(LETTER.alert, acknowledge_within_s=24 * 3600, **state)
    posted = write_alert(replace(LETTER, alert=alert, dated_at=hours(2)))
    assert posted["endsAt"] == ends_at.isoformat()


@pytest.mark.parametrize(
    ("content", "problem"),
    [("other json://x\n", "no chat of this name"), ("desk not-a-url\n", "none that Apprise knows")],
)
def test_a_chat_that_is_not_set_up_is_said_without_its_secret(chat, content, problem):
    chat.urls.write_text(content)
    result = chat.channel()(LETTER, "desk")
    assert problem in result.problem
    assert make_chat_channel(AlertSettings())(LETTER, "desk").can_retry


LONG_GERMAN = "Zytokinfreisetzungssyndrom: Überwachung "
TEXTS = {
    "a short line": ("[T] Boundary reached", "short\n"),
    "a line of 998": ("s", "x" * 998 + "\n"),
    "a line of 999": ("s", "x" * 999 + "\n"),
    "a rule in words": ("s", "Severe CRS: " + "a participant counts when " * 50 + "\nend\n"),
    "a rule in German": ("s", "Schweres CRS ≥ 3: " + "Patientinnen zählen " * 60 + "\nend\n"),
    "dots and From": ("s", ".\n..\nFrom me\n"),
    "a subject of 300 letters without a blank": ("x" * 300, "b\n"),
    "a subject of 1200 letters without a blank": ("x" * 1200, "b\n"),
    "a long English subject": ("Boundary reached: review required " * 30 + "now", "b\n"),
    "a long German subject": (f"[Ü] {LONG_GERMAN * 8}end", "b\n"),
    "a German subject without a blank": ("[Ü] " + "Überwachung" * 60, "b\n"),
    **{f"a first word of {n}": ("[" + "x" * n + "] y", "b\n") for n in range(60, 80)},
    **{f"a first word of {n}, then ü": ("x" * n + " ü y", "b\n") for n in range(60, 80)},
}


@pytest.mark.parametrize("about", ["e1", "BLINA/Ü.S1", "x" * 200, "Ü" * 100])
@pytest.mark.parametrize(("subject", "body"), TEXTS.values(), ids=TEXTS.keys())
def test_no_line_of_a_mail_is_too_long_and_its_words_are_kept(subject, body, about):
    letter = replace(
        LETTER, text=Text(subject, body, LINK), alert=replace(LETTER.alert, about=about)
    )
    message = smtp.make_mail(letter, "aegis@x.org", "Müller <chair@example.org>")
    raw = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert raw.isascii()  # for servers without 8BITMIME
    head = raw.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        words = re.findall(rb"=\?[^?]+\?[bq]\?[^?]*\?=", line, re.IGNORECASE)
        assert max(map(len, words), default=0) <= 75
        assert not words or len(line) <= 76
    got = message_from_bytes(raw, policy=default)
    assert got["Subject"] == subject
    plain = got.get_body(("plain",))
    assert plain["Content-Transfer-Encoding"] == "quoted-printable"
    assert max(map(len, plain.get_payload().splitlines())) <= 76
    assert plain.get_content().splitlines() == body.splitlines()
    assert [part.get_filename() for part in got.iter_attachments()] == [f"{about}.png"]


@pytest.mark.parametrize(
    ("subject", "body", "address"),
    [
        ("a\nb", "b\n", "chair@example.org"),
        ("a\rb", "b\n", "chair@example.org"),
        ("s", "b\udcff\n", "chair@example.org"),
        ("s", "b\n", "chair@example.org\nBcc: other@example.org"),
        ("s", "b\n", "chair@example.org, other@example.org"),
        ("s", "b\n", "not an address @@"),
        ("s", "b\n", "<"),
        ("s", "b\n", ""),
    ],
)
def test_a_mail_that_cannot_be_written_is_a_failure_for_good(mail, subject, body, address):
    mail.start()
    letter = replace(LETTER, text=Text(subject, body, LINK))
    result = mail.channel()(letter, address)
    assert result.problem.startswith("mail cannot be written (")
    assert not result.can_retry
    assert mail.mails == []


def test_a_bug_of_a_channel_is_a_failure_that_is_tried_again():
    def send(_letter, _address):
        raise ZeroDivisionError

    result = contain_errors(send)(LETTER, "chair@example.org")
    assert result == Failure("channel failed (ZeroDivisionError)")


def test_a_mail_without_a_chart_has_no_attachment(mail):
    mail.start()
    mail.channel()(replace(LETTER, picture=None), mail.address)
    (got,) = mail.mails
    assert list(got.iter_attachments()) == []


@pytest.mark.parametrize(
    ("replies", "can_retry"),
    [
        ({"RCPT": "450 mailbox busy"}, True),
        ({"RCPT": "452 too many"}, True),
        ({"RCPT": "553 not allowed"}, False),
        ({"DATA": "451 local error"}, True),
        ({"DATA": "554 refused"}, False),
        ({"MAIL": "451 later"}, True),
        ({"MAIL": "530 authenticate first"}, True),  # ours to put right, not the recipient's
        ({"MAIL": "550 unknown sender"}, True),
    ],
)
def test_only_what_is_said_about_the_recipient_or_the_mail_is_for_good(mail, replies, can_retry):
    mail.start()
    mail.replies = replies
    assert mail.channel()(LETTER, mail.address).can_retry is can_retry
    assert mail.mails == []


@pytest.mark.parametrize("reply", ["221 bye", "421 closing", "500 what"])
def test_a_mail_that_was_taken_is_sent_whatever_the_server_says_at_the_end(mail, reply):
    mail.start()
    mail.replies = {"QUIT": reply}
    assert mail.channel()(LETTER, mail.address) == Acceptance()
    assert len(mail.mails) == 1


@pytest.mark.parametrize("last_command", ["EHLO", "MAIL", "RCPT", "DATA", "the mail"])
def test_a_mail_server_that_accepts_and_then_drops_the_connection_is_tried_again(last_command):
    replies = {"EHLO": "250 x", "MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 go on"}
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                stream.write(b"220 x\r\n")
                stream.flush()
                for line in stream:
                    command = line[:4].decode("ascii", "replace").upper().strip()
                    if command == last_command or line == b".\r\n":
                        return  # without an answer
                    if command in replies:
                        stream.write(replies[command].encode() + b"\r\n")
                        stream.flush()

        server = threading.Thread(target=serve)
        server.start()
        port = listener.getsockname()[1]
        settings = AlertSettings(smtp_host="127.0.0.1", smtp_port=port, smtp_from="aegis@x.org")
        result = make_smtp_channel(settings)(LETTER, "chair@example.org")
        server.join(10)
    assert result == Failure("mail server not reached (SMTPServerDisconnected)")


def test_an_address_outside_ascii_needs_a_server_that_can_take_it(mail):
    mail.start(enable_SMTPUTF8=False)
    assert mail.channel()(LETTER, "chair@köln.example") == Failure(
        "mail server lacks an extension: STARTTLS, AUTH or SMTPUTF8"
    )


def test_a_wrong_password_is_tried_again_once_it_is_put_right(mail, tmp_path):
    password = tmp_path / "password"
    password.write_text("wrong")
    mail.start(
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )
    send = make_smtp_channel(
        AlertSettings(
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_user="aegis",
            smtp_password_file=password,
        )
    )
    assert send(LETTER, mail.address) == Failure("mail server said 535", can_retry=True)


def test_with_starttls_nothing_is_said_to_a_server_without_it(mail):
    mail.start()
    send = make_smtp_channel(
        AlertSettings(smtp_host="127.0.0.1", smtp_port=mail.port, smtp_starttls=True)
    )
    assert isinstance(send(LETTER, mail.address), Failure)
    assert mail.mails == []


def test_with_starttls_a_server_with_an_unknown_certificate_gets_nothing(mail, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    mail.start(tls_context=context)
    send = make_smtp_channel(
        AlertSettings(smtp_host="127.0.0.1", smtp_port=mail.port, smtp_starttls=True)
    )
    assert send(LETTER, mail.address) == Failure(
        "mail server not reached (SSLCertVerificationError)", can_retry=True
    )
    assert mail.mails == []


def test_a_mail_server_that_says_nothing_is_given_up_after_a_while(mail, monkeypatch):
    monkeypatch.setattr(smtp, "_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", mail.port)):
        result = mail.channel()(LETTER, mail.address)
    assert isinstance(result, Failure)
    assert result.can_retry


class SlowServer:
    """A server that sends *answer* byte by byte, every twentieth of a second, for ever."""

    def __init__(self, answer):
        self.answer = answer
        self.stop_event = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                for byte in itertools.cycle(self.answer):
                    connection.sendall(bytes([byte]))
                    if self.stop_event.wait(0.05):
                        return

    def stop(self):
        self.stop_event.set()
        self.listener.close()


@pytest.fixture
def start_slow_server():
    servers = []

    def start(answer):
        servers.append(SlowServer(answer))
        return servers[-1].port

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("answer", [b"220-wait\r\n", b"220 "], ids=["lines", "one line"])
def test_a_mail_server_that_answers_slowly_has_one_deadline_for_all(start_slow_server, answer):
    port = start_slow_server(answer)
    send = make_smtp_channel(
        AlertSettings(smtp_host="127.0.0.1", smtp_port=port, delivery_deadline_s=0.5)
    )
    began_s = time.monotonic()
    result = send(LETTER, "chair@example.org")
    assert 0.4 < time.monotonic() - began_s < 3
    assert isinstance(result, Failure)
    assert result.can_retry


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 "])
def test_a_webhook_that_answers_slowly_has_one_deadline_for_all(
    hook, start_slow_server, answer, scheme
):
    port = start_slow_server(b"\x16\x03\x03\x40\x00" if scheme == "https" else answer)
    send = make_webhook_channel(
        AlertSettings(webhook_secret_file=hook.secret, delivery_deadline_s=0.5)
    )
    began_s = time.monotonic()
    result = send(LETTER, f"{scheme}://127.0.0.1:{port}/hook")
    assert 0.4 < time.monotonic() - began_s < 3
    assert isinstance(result, Failure)
    assert result.can_retry


def test_the_answer_of_a_webhook_is_not_read_beyond_its_status(hook, monkeypatch):
    received = []
    receive = SyncStream.read

    def count(self, max_bytes, timeout=None):
        received.append(receive(self, max_bytes, timeout))
        return received[-1]

    monkeypatch.setattr(SyncStream, "read", count)
    hook.status, hook.answer_bytes = 200, 10_000_000
    hook.start()
    assert hook.channel()(LETTER, hook.address) == Acceptance()
    assert 0 < sum(map(len, received)) <= 65_536


def test_a_webhook_is_signed_with_the_shared_secret_over_its_time_and_body(hook):
    hook.start()
    hook.channel()(LETTER, hook.address)
    headers, body = hook.requests[0]
    timestamp = headers["Aegis-Timestamp"]
    expected = hmac.new(
        SECRET.encode(), f"{timestamp}.".encode() + body, hashlib.sha256
    ).hexdigest()
    assert headers["Aegis-Signature"] == f"sha256={expected}"
    assert datetime.fromtimestamp(int(timestamp), UTC) == HOUR_ZERO
    assert headers["Content-Type"] == "application/json"


def test_a_webhook_says_what_the_mail_says(hook):
    hook.start()
    hook.channel()(LETTER, hook.address)
    content = json.loads(hook.requests[0][1])
    assert content == {
        "about": "e1",
        "alert": "a1",
        "delivery": LETTER.id,
        "grade": 3,
        "kind": "episode",
        "level": "participant",
        "participant": "P-001",
        "protocol": "protocol v1 DRAFT, signed by nobody",
        "provisional": False,
        "reason": "first",
        "retracted": False,
        "study": "T",
        "subject": LETTER.text.subject,
        "suspected": True,
        "text": LETTER.text.body,
        "version": 1,
    }


def test_a_retry_is_signed_with_its_own_time_so_that_it_is_no_replay(hook):
    hook.start()
    send = hook.channel()
    send(LETTER, hook.address)
    send(replace(LETTER, dated_at=hours(1)), hook.address)
    first, second = (headers for headers, _ in hook.requests)
    assert int(second["Aegis-Timestamp"]) - int(first["Aegis-Timestamp"]) == 3600
    assert first["Aegis-Signature"] != second["Aegis-Signature"]
    assert first["Idempotency-Key"] == second["Idempotency-Key"]


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Acceptance()),
        (202, Acceptance()),
        (301, Failure("webhook said 301", can_retry=False)),
        (400, Failure("webhook said 400", can_retry=False)),
        (401, Failure("webhook said 401", can_retry=True)),
        (403, Failure("webhook said 403", can_retry=True)),
        (404, Failure("webhook said 404", can_retry=False)),
        (408, Failure("webhook said 408", can_retry=True)),
        (410, Failure("webhook said 410", can_retry=False)),
        (429, Failure("webhook said 429", can_retry=True)),
        (500, Failure("webhook said 500", can_retry=True)),
        (503, Failure("webhook said 503", can_retry=True)),
    ],
)
def test_what_a_webhook_answers_decides_whether_it_is_tried_again(hook, status, result):
    hook.start()
    hook.status = status
    assert hook.channel()(LETTER, hook.address) == result


def test_a_webhook_that_does_not_answer_is_tried_again(hook, monkeypatch):
    monkeypatch.setattr(webhook, "_TIMEOUT_S", 0.2)
    hook.silent_until.clear()
    hook.start()
    assert hook.channel()(LETTER, hook.address) == Failure("webhook not reached (ReadTimeout)")


def test_a_webhook_whose_address_is_none_is_not_tried_again(hook):
    assert hook.channel()(LETTER, "http://[::1") == Failure(
        "its address is no URL", can_retry=False
    )


def test_a_webhook_without_a_secret_is_not_sent_and_says_what_to_set(hook):
    hook.start()
    result = make_webhook_channel(AlertSettings())(LETTER, hook.address)
    assert result == Failure("no webhook secret: name its file in AEGIS_WEBHOOK_SECRET_FILE")
    assert hook.requests == []


def test_a_secret_does_not_show_when_it_is_printed(hook):
    settings = AlertSettings(webhook_secret_file=hook.secret)
    assert settings.webhook_secret == SecretStr(SECRET)
    assert SECRET not in repr(settings)
