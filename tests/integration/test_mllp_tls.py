"""The MLLP port encrypts, and takes only client certificates that a site names."""

import ssl
from contextlib import suppress
from dataclasses import replace
from functools import partial

import pytest

from services.cli.process.edges import load_tls
from services.ingest.domain.hl7.frames import frame_message
from services.ingest.domain.site import Sites
from services.ingest.mllp import admit
from services.runtime.settings import IngestSettings
from tests.helpers.certificates import Authority, make_self_signed
from tests.helpers.hl7_messages import NORTH, RHEIN, labs, obx
from tests.helpers.intake import Line, count_feed_messages, new_intake, serve_mllp

MESSAGE = labs(obx("0.49"), control_id="M1")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pem(tmp_path_factory, authority):
    """A certificate for each name; aegis and the stranger made their own, one has no subject."""
    folder = tmp_path_factory.mktemp("pem")
    own = {name: make_self_signed(folder, name) for name in ("aegis", "stranger")}
    certificates = {name: authority.issue(name) for name in ("north", "rhein", "unnamed")}
    return own | certificates | {"empty": authority.issue("empty", has_subject=False)}


@pytest.fixture
def intake(tmp_path):
    north = replace(NORTH, certificates=("CN=north",))
    rhein = replace(RHEIN, certificates=("CN=rhein",))
    return replace(new_intake(tmp_path / "store"), sites=Sites.build((north, rhein)))


@pytest.fixture
def port(intake, pem, authority):
    settings = IngestSettings(
        mllp_certificate=pem["aegis"][0],
        mllp_key=pem["aegis"][1],
        mllp_client_ca=authority.path,
    )
    admits = partial(admit, sites=intake.sites, is_open=False)
    with serve_mllp(intake, tls=load_tls(settings), admit=admits) as open_port:
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


@pytest.mark.parametrize(("sender", "answer"), [("north", "AR"), ("rhein", "AA")])
@pytest.mark.part11("11.10(h)")
def test_the_certificate_of_one_site_cannot_speak_for_another(intake, port, pem, sender, answer):
    raw = labs(obx("0.49"), control_id="M1", sender="ORBIS|RHEIN")
    line = Line(port, tls=client(pem, sender))
    ack = line.say(frame_message(raw)).answer()
    line.close()
    assert f"MSA|{answer}|M1" in ack
    assert ("this connection may send for north only" in ack) == (answer == "AR")
    assert count_feed_messages(intake) == (answer == "AA")


@pytest.mark.parametrize("participant", ["", "stranger", "unnamed", "empty"])
def test_without_a_certificate_that_it_trusts_nothing_is_taken(intake, port, pem, participant):
    line = Line(port, tls=client(pem, participant))
    ack = ""
    with suppress(ssl.SSLError, ConnectionError):  # or it hangs up without a word
        ack = line.say(frame_message(MESSAGE)).answer()
    line.close()
    assert (ack, count_feed_messages(intake)) == ("", 0)


@pytest.mark.part11("11.30")
def test_a_sender_that_does_not_encrypt_gets_no_answer(intake, port):
    line = Line(port).say(frame_message(MESSAGE))
    assert "MSA" not in line.answer()
    line.close()
    assert count_feed_messages(intake) == 0


def test_without_a_certificate_the_port_is_plain():
    assert load_tls(IngestSettings()) is None
