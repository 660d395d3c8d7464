"""The MLLP port encrypts, and takes only the client certificates of its authority."""

import ssl
from contextlib import suppress

import pytest

from services.cli.process.edges import load_tls
from services.ingest.domain.hl7.frames import frame_message
from services.runtime.settings import IngestSettings
from tests.helpers.certificates import make_self_signed
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.intake import Line, count_feed_messages, new_intake, serve_mllp

MESSAGE = labs(obx("0.49"), control_id="M1")


@pytest.fixture
def pem(tmp_path):
    return {name: make_self_signed(tmp_path, name) for name in ("aegis", "north", "stranger")}


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
    with serve_mllp(intake, tls=load_tls(settings)) as open_port:
        yield open_port


def client(pem, participant):
    context = ssl.create_default_context(cafile=pem["aegis"][0])
    if participant:
        context.load_cert_chain(*pem[participant])
    return context


def test_a_site_with_its_certificate_is_answered(intake, port, pem):
    line = Line(port, tls=client(pem, "north"))
    assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
    line.close()
    assert count_feed_messages(intake) == 1


@pytest.mark.parametrize("participant", ["", "stranger"])
def test_without_a_certificate_that_it_trusts_nothing_is_taken(intake, port, pem, participant):
    line = Line(port, tls=client(pem, participant))
    ack = ""
    with suppress(ssl.SSLError, ConnectionError):  # or it hangs up without a word
        ack = line.say(frame_message(MESSAGE)).answer()
    line.close()
    assert (ack, count_feed_messages(intake)) == ("", 0)


def test_a_sender_that_does_not_encrypt_gets_no_answer(intake, port):
    line = Line(port).say(frame_message(MESSAGE))
    assert "MSA" not in line.answer()
    line.close()
    assert count_feed_messages(intake) == 0


def test_without_a_certificate_the_port_is_plain():
    assert load_tls(IngestSettings()) is None
