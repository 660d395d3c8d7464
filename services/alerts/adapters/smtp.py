"""Notices by e-mail: plain text first, HTML second, the boundary chart attached."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from email.header import Header
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime

from services.alerts.adapters.attempt_deadline import shut_connection_after
from services.alerts.channel_contract import Acceptance, Failure, Letter, Send, contain_errors
from services.alerts.markup import render_mail
from services.runtime.settings import AlertSettings

_TIMEOUT_S = 20.0
_PROBE_TIMEOUT_S = 5.0
_LONGEST_LINE = (
    76  # of quoted-printable (RFC 2045 6.7), of a header with an encoded word (RFC 2047 2)
)
_LONGEST_PLAIN_WORD = 60  # a longer word of a subject is encoded, to be split
_NO_SERVER = "AEGIS_SMTP_HOST names no mail server"
_LONGEST_THREAD = 10
_PERMANENT = 500  # SMTP replies from here on will not change


class _Subject(UnstructuredHeader, BaseHeader):
    """A subject folded at its blanks, since EmailPolicy adds a blank to what it folds."""

    def fold(self, *, policy: Policy) -> str:
        """Return the header in lines of up to the length of *policy*."""
        is_plain = self.isascii() and max(map(len, self.split(" "))) <= _LONGEST_PLAIN_WORD
        charset = "us-ascii" if is_plain else "utf-8"
        header = Header(str(self), charset, policy.max_line_length, self.name)
        folded_value = header.encode(splitchars=" ", linesep=policy.linesep)
        return f"{self.name}: {folded_value}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("subject", _Subject)
_POLICY = EmailPolicy(max_line_length=_LONGEST_LINE, header_factory=_HEADERS)


class _ShutSmtp(smtplib.SMTP):
    """A client that tells *on_connect* its connection before it reads the greeting."""

    def __init__(self, host: str, port: int, on_connect: Callable[[socket.socket], None]) -> None:
        self._on_connect = on_connect
        super().__init__(host, port, timeout=_TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connection = socket.create_connection((host, port), timeout)
        self._on_connect(connection)
        return connection


def find_mail_server_problem(settings: AlertSettings) -> str | None:
    """Return a sentence when the mail server of *settings* does not greet; None when it does."""
    if not settings.smtp_host:
        return _NO_SERVER
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_PROBE_TIMEOUT_S).quit()
    except OSError:  # which every exception of smtplib is
        return (
            f"the mail server {place} does not answer: start it, or name another in"
            " AEGIS_SMTP_HOST and AEGIS_SMTP_PORT"
        )
    return None


def make_smtp_channel(settings: AlertSettings) -> Send:
    """Return a function that mails a letter to an address over the server of *settings*."""

    def send(letter: Letter, address: str) -> Acceptance | Failure:
        if not settings.smtp_host:
            return Failure(_NO_SERVER)
        try:
            mail = make_mail(letter, settings.smtp_from, address)
        except Exception as error:  # noqa: BLE001 - an address or a text that no mail can have
            return Failure(f"mail cannot be written ({type(error).__name__})", can_retry=False)
        try:
            _submit_mail(settings, mail)
        except OSError as error:  # which every exception of smtplib is
            return _describe_error(error)
        return Acceptance()

    return contain_errors(send)


def _submit_mail(settings: AlertSettings, mail: EmailMessage) -> None:
    with (
        shut_connection_after(settings.delivery_deadline_s) as on_connect,
        closing(_ShutSmtp(settings.smtp_host, settings.smtp_port, on_connect)) as server,
    ):
        if settings.smtp_starttls:
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user and settings.smtp_password:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(mail)
        with suppress(OSError):  # the mail is taken, whatever becomes of the goodbye
            server.putcmd("QUIT")


def _describe_error(error: OSError) -> Failure:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, _ = next(iter(error.recipients.values()))
            return Failure(f"recipient refused ({code})", code < _PERMANENT)
        case smtplib.SMTPDataError():
            return Failure(f"mail refused ({error.smtp_code})", error.smtp_code < _PERMANENT)
        case smtplib.SMTPResponseException():  # password, sender: ours to put right
            return Failure(f"mail server said {error.smtp_code}")
        case smtplib.SMTPNotSupportedError():
            return Failure("mail server lacks an extension: STARTTLS, AUTH or SMTPUTF8")
        case _:
            return Failure(f"mail server not reached ({type(error).__name__})")


def make_mail(letter: Letter, sender: str, address: str) -> EmailMessage:
    """Return the mail; its id is the delivery's, so that one sent twice is recognised.

    Raises:
        ValueError: *address* is not one address, or a header would have a line break.

    Source: RFC 5322 2.1.1, RFC 2045 6.7, RFC 2047 2 (the lengths of lines).
    """
    message = EmailMessage(_POLICY)
    message["From"] = sender
    message["To"] = address
    if [one.username != "" for one in message["To"].addresses] != [True]:
        raise ValueError("not one address")
    message["Subject"] = letter.text.subject
    message["Date"] = format_datetime(letter.dated_at)
    message["Message-ID"] = _name_letter(letter.id)
    if letter.earlier_ids:
        message["In-Reply-To"] = _name_letter(letter.earlier_ids[-1])
        message["References"] = " ".join(map(_name_letter, _shorten_thread(letter.earlier_ids)))
    message["X-Aegis-Alert"] = letter.alert.id
    message["X-Aegis-Reason"] = letter.reason
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text.body, cte="quoted-printable")
    picture_id = _name_letter(f"chart.{letter.id}") if letter.picture is not None else ""
    html = render_mail(letter.text, picture_id.strip("<>"))
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if letter.picture is not None:
        name = f"{letter.alert.about}.png"
        _, html_part = message.iter_parts()
        html_part.add_related(
            letter.picture, maintype="image", subtype="png", cid=picture_id, disposition="inline"
        )
        message.add_attachment(letter.picture, maintype="image", subtype="png", filename=name)
    return message


def _name_letter(letter_id: str) -> str:
    return f"<{letter_id}@aegis.invalid>"


def _shorten_thread(ids: Sequence[str]) -> Sequence[str]:
    """Return the first of a thread and the last few: a header has a limited length."""
    return ids if len(ids) <= _LONGEST_THREAD else (ids[0], *ids[1 - _LONGEST_THREAD :])
