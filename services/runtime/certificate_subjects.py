"""Subjects of X.509 certificates as text, in the form of RFC 4514: ``CN=engine,O=Hospital``."""

import re

_BLANKS = re.compile(r"(?<!\\),\s+")  # after a comma that is none of the value


def normalize_subject(text: str) -> str:
    """Return the subject that *text* names, in the one form in which subjects are compared.

    >>> normalize_subject("CN=engine, O=North Hospital")
    'CN=engine,O=North Hospital'
    >>> normalize_subject("engine.north.example")
    Traceback (most recent call last):
        ...
    ValueError: is no subject of a certificate, like CN=engine,O=Hospital

    Raises:
        ValueError: It is no subject in the form of RFC 4514, or an empty one.
    """
    from cryptography import x509  # noqa: PLC0415 (a tenth of a second, and few files name any)

    try:
        subject = x509.Name.from_rfc4514_string(_BLANKS.sub(",", text.strip()))
    except ValueError:
        subject = x509.Name([])
    if not list(subject):
        raise ValueError("is no subject of a certificate, like CN=engine,O=Hospital")
    return subject.rfc4514_string()


def read_subject(certificate: bytes) -> str:
    """Return the subject of a *certificate* in DER; empty when it has none that can be read.

    Nothing is called so: `normalize_subject` refuses the empty subject.
    """
    from cryptography import x509  # noqa: PLC0415 (as above)

    try:
        return x509.load_der_x509_certificate(certificate).subject.rfc4514_string()
    except ValueError:
        return ""
