"""Subjects of X.509 certificates as text, in the form of RFC 4514: ``CN=engine,O=Hospital``.

A subject has several spellings: names of attributes in capitals or not, or as numbers, and the
parts of a name that has several in any order. Here each has one.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_BLANKS = re.compile(r"(?<=,)(?<!\\,) +|^ +|(?<!\\) +$")  # that belong to no value
# Attributes as `openssl x509` names them, beside those of RFC 4514, section 3.
_ATTRIBUTES = {
    "CN": "2.5.4.3",
    "SN": "2.5.4.4",
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "street": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "title": "2.5.4.12",
    "businessCategory": "2.5.4.15",
    "postalCode": "2.5.4.17",
    "GN": "2.5.4.42",
    "initials": "2.5.4.43",
    "generationQualifier": "2.5.4.44",
    "dnQualifier": "2.5.4.46",
    "pseudonym": "2.5.4.65",
    "organizationIdentifier": "2.5.4.97",
    "UID": "0.9.2342.19200300.100.1.1",
    "DC": "0.9.2342.19200300.100.1.25",
    "emailAddress": "1.2.840.113549.1.9.1",
    "jurisdictionL": "1.3.6.1.4.1.311.60.2.1.1",
    "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2",
    "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3",
}


def normalize_subject(text: str) -> str:
    """Return the subject that *text* names, in the one form in which subjects are compared.

    >>> normalize_subject("cn=engine, O=North Hospital")
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
        subject = x509.Name.from_rfc4514_string(_BLANKS.sub("", text), _list_attributes())
    except ValueError:
        subject = x509.Name([])
    if not list(subject):
        raise ValueError("is no subject of a certificate, like CN=engine,O=Hospital")
    return _write_subject(subject)


def read_subject(certificate: bytes) -> str:
    """Return the subject of a *certificate* in DER; empty when it has none that can be read.

    Nothing is called so: `normalize_subject` refuses the empty subject.
    """
    from cryptography import x509  # noqa: PLC0415 (as above)

    try:
        return _write_subject(x509.load_der_x509_certificate(certificate).subject)
    except ValueError:
        return ""


def _write_subject(subject: "x509.Name") -> str:
    """Return *subject*, the last part first, as RFC 4514 has it."""
    return ",".join(
        "+".join(sorted(attribute.rfc4514_string() for attribute in part))
        for part in reversed(subject.rdns)
    )


@cache
def _list_attributes() -> "dict[str, x509.ObjectIdentifier]":
    """Return the attributes by their names, which are the same in capitals."""
    from cryptography import x509  # noqa: PLC0415 (as above)

    return {
        spelling: x509.ObjectIdentifier(number)
        for name, number in _ATTRIBUTES.items()
        for spelling in (name, name.lower(), name.upper())
    }
