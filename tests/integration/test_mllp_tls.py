"""The MLLP port encrypts, and takes only the client certificates of its authority."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.cli.edges import tls_of
from services.ingest.domain.hl7.frames import framed
from services.runtime.settings import IngestSettings
from tests.hl7_messages import labs, obx
from tests.intake import Line, listening, messages_kept, new_intake

ONE = labs(obx("0.49"), control_id="M1")


def certificate(folder, name):
    """A certificate that vouches for itself, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@pytest.fixture
def pem(tmp_path):
    return {name: certificate(tmp_path, name) for name in ("aegis", "north", "stranger")}


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path / "store")


@pytest.fixture
def port(intake, pem):
    settings = IngestSettings(
        mllp_certificate=pem["aegis"][0],
        mllp_key=pem["aegis"][1],
        mllp_client_ca=pem["north"][0],
    )
    with listening(intake, tls=tls_of(settings)) as open_port:
        yield open_port


def client(pem, who):
    context = ssl.create_default_context(cafile=pem["aegis"][0])
    if who:
        context.load_cert_chain(*pem[who])
    return context


def test_a_site_with_its_certificate_is_answered(intake, port, pem):
    line = Line(port, tls=client(pem, "north"))
    assert "MSA|AA|M1" in line.say(framed(ONE)).answer()
    line.close()
    assert messages_kept(intake) == 1


@pytest.mark.parametrize("who", ["", "stranger"])
def test_without_a_certificate_that_it_trusts_nothing_is_taken(intake, port, pem, who):
    line = Line(port, tls=client(pem, who))
    ack = ""
    with suppress(ssl.SSLError, ConnectionError):  # or it hangs up without a word
        ack = line.say(framed(ONE)).answer()
    line.close()
    assert (ack, messages_kept(intake)) == ("", 0)


def test_a_sender_that_does_not_encrypt_gets_no_answer(intake, port):
    line = Line(port).say(framed(ONE))
    assert "MSA" not in line.answer()
    line.close()
    assert messages_kept(intake) == 0


def test_without_a_certificate_the_port_is_plain():
    assert tls_of(IngestSettings()) is None
