"""Notices by e-mail: plain text first, HTML second, the boundary chart attached."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime

from services.alerts.channel_contract import Acceptance, Failure, Letter
from services.alerts.markup import render_mail
from services.runtime.settings import AlertSettings

_TIMEOUT_S = 20.0
_ON_ONE_LINE = default.clone(max_line_length=500)  # a folded subject begins with a blank
_PERMANENT = 500  # SMTP replies from here on will not change


def make_smtp_channel(settings: AlertSettings) -> Callable[[Letter, str], Acceptance | Failure]:
    """Return a function that mails a letter to an address over the server of *settings*."""

    def send(letter: Letter, address: str) -> Acceptance | Failure:
        try:
            with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_TIMEOUT_S) as server:
                if settings.smtp_starttls:
                    server.starttls(context=ssl.create_default_context())
                if settings.smtp_user and settings.smtp_password:
                    password = settings.smtp_password.get_secret_value()
                    server.login(settings.smtp_user, password)
                server.send_message(make_mail(letter, settings.smtp_from, address))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            return Failure(f"recipient refused ({codes[0]})", codes[0] < _PERMANENT)
        except smtplib.SMTPDataError as error:
            return Failure(f"mail refused ({error.smtp_code})", error.smtp_code < _PERMANENT)
        except smtplib.SMTPResponseException as error:  # password, sender: ours to put right
            return Failure(f"mail server said {error.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Failure(f"mail server not reached ({type(error).__name__})")
        return Acceptance()

    return send


def make_mail(letter: Letter, sender: str, address: str) -> EmailMessage:
    """Return the mail; its id is the delivery's, so that one sent twice is recognised."""
    message = EmailMessage(_ON_ONE_LINE)
    message["From"] = sender
    message["To"] = address
    message["Subject"] = letter.text.subject
    message["Date"] = format_datetime(letter.dated_at)
    message["Message-ID"] = f"<{letter.id}@aegis.invalid>"
    message["X-Aegis-Alert"] = letter.alert.id
    message["X-Aegis-Reason"] = letter.reason
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text.body, cte="8bit")
    message.add_alternative(render_mail(letter.text), subtype="html", cte="quoted-printable")
    if letter.picture is not None:
        name = f"{letter.alert.about}.png"
        message.add_attachment(letter.picture, maintype="image", subtype="png", filename=name)
    return message
