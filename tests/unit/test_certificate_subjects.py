"""A subject is the same however it is spelt, and another one is another."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.runtime.certificate_subjects import normalize_subject, read_subject

KEY = ec.generate_private_key(ec.SECP256R1())


def make_certificate(*parts):
    """A certificate in DER; each part of its subject is a tuple of attributes with their values."""
    subject = x509.Name(
        x509.RelativeDistinguishedName(x509.NameAttribute(*attribute) for attribute in part)
        for part in parts
    )
    made_at = datetime.now(tz=UTC)
    builder = x509.CertificateBuilder(subject, subject, KEY.public_key(), 1)
    builder = builder.not_valid_before(made_at).not_valid_after(made_at + timedelta(days=1))
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


SUBJECTS = {  # the parts of a subject, the first first; how `openssl x509 -nameopt RFC2253` has it
    "plain": (
        [((NameOID.ORGANIZATION_NAME, "North"),), ((NameOID.COMMON_NAME, "engine"),)],
        ["CN=engine,O=North", "cn=engine, o=North", "  CN=engine,O=North "],
    ),
    "marks that are escaped": (
        [((NameOID.ORGANIZATION_NAME, 'North, "A"+B;<c>\\'),), ((NameOID.COMMON_NAME, "a=b"),)],
        [r"CN=a=b,O=North\, \"A\"\+B\;\<c\>\\"],
    ),
    "blanks at both ends": ([((NameOID.COMMON_NAME, " engine "),)], [r"CN=\ engine\ "]),
    "letters beyond ASCII": ([((NameOID.COMMON_NAME, "Köln"),)], ["CN=Köln", r"CN=K\C3\B6ln"]),
    "an address of mail": (
        [((NameOID.COMMON_NAME, "engine"),), ((NameOID.EMAIL_ADDRESS, "it@north.example"),)],
        [
            "emailAddress=it@north.example,CN=engine",
            "1.2.840.113549.1.9.1=it@north.example,CN=engine",
        ],
    ),
    "a number": (
        [((NameOID.SERIAL_NUMBER, "12 34"),), ((NameOID.COMMON_NAME, "engine"),)],
        ["CN=engine,serialNumber=12 34", "CN=engine,SERIALNUMBER=12 34"],
    ),
    "a street and a domain": (
        [((NameOID.DOMAIN_COMPONENT, "example"),), ((NameOID.STREET_ADDRESS, "Way 1"),)],
        ["street=Way 1,DC=example", "STREET=Way 1,DC=example"],
    ),
    "a part of two": (
        [((NameOID.COMMON_NAME, "engine"), (NameOID.USER_ID, "7"))],
        ["CN=engine+UID=7", "UID=7+CN=engine"],
    ),
}


@pytest.mark.parametrize(("parts", "spellings"), SUBJECTS.values(), ids=SUBJECTS)
def test_every_spelling_is_the_subject_of_the_certificate(parts, spellings):
    subject = read_subject(make_certificate(*parts))
    assert {normalize_subject(spelling) for spelling in spellings} == {subject}
    assert normalize_subject(subject) == subject  # as the log shows it


OTHER_SUBJECTS = (
    *("CN=Engine,O=North", "O=North,CN=engine", "CN=engine", "CN=engine,O=North,C=US"),
    *(r"CN=engine\,O=North", "OU=engine,O=North", "CN=engine+O=North", "CN=engine,O=North,O=North"),
)


@pytest.mark.parametrize("text", OTHER_SUBJECTS)
def test_another_subject_is_another(text):
    parts, _ = SUBJECTS["plain"]
    assert normalize_subject(text) != read_subject(make_certificate(*parts))


@pytest.mark.parametrize(
    "text",
    ["", " ", "engine", "CN", "CN=a,", ",CN=a", "CN=a/O=b,", "X=a", "/C=US/CN=a", "CN=a O=b,c"],
)
def test_what_is_no_subject_is_refused(text):
    with pytest.raises(ValueError, match="is no subject of a certificate"):
        normalize_subject(text)


@pytest.mark.parametrize("certificate", [b"", b"no certificate", make_certificate()])
def test_a_certificate_without_a_subject_that_can_be_read_has_an_empty_one(certificate):
    assert read_subject(certificate) == ""
