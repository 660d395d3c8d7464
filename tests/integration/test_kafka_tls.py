"""Connections to Kafka are encrypted, to a broker of the known authority, with a certificate."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.local.kafka import Kafka
from deploy.local.places import free_port
from services.runtime import kafka as runtime
from services.runtime import topic_names, topics
from services.runtime.settings import KafkaSettings
from tests.helpers.certificates import Authority
from tests.helpers.servers import skip_without_server


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def tls_broker(servers_folder, authority):
    """A broker that takes only clients with a certificate of the authority."""
    certificate, key = authority.issue("broker")
    key_and_certificate = authority.folder / "broker-with-key.pem"
    key_and_certificate.write_bytes(key.read_bytes() + certificate.read_bytes())
    settings = {
        "listener.security.protocol.map": "CLIENTS:SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(key_and_certificate),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.path),
        "ssl.client.auth": "required",
    }
    with skip_without_server():
        server = Kafka(
            servers_folder / "encrypted", free_port(), short_lived=True, settings=settings
        )
    try:
        yield server.start()
    finally:
        server.erase()


def settings_of(server, ca, pair=(None, None)):
    return KafkaSettings(
        kafka=server.servers, kafka_ca=ca, kafka_certificate=pair[0], kafka_key=pair[1]
    )


@pytest.mark.server
def test_with_its_certificate_a_client_makes_topics_and_writes(tls_broker, authority):
    settings = settings_of(tls_broker, authority.path, authority.issue("relay"))
    assert topic_names.FACTS in runtime.create_topics(settings, topics.load_topics())
    with runtime.connect_producer(settings) as producer:
        assert producer.send(topic_names.FACTS, b"kept").get(60).offset == 0


@pytest.mark.server
@pytest.mark.slow
def test_a_client_without_certificate_or_of_another_authority_is_refused(
    tls_broker, authority, tmp_path
):
    stranger = Authority(tmp_path, "stranger")
    run_refused = [
        {},
        files_of(authority.path),
        files_of(authority.path, *stranger.issue("client")),
        files_of(stranger.path, *authority.issue("other")),
    ]
    with ThreadPoolExecutor(len(run_refused)) as beside_each_other:
        for steps in beside_each_other.map(lambda files: ask(tls_broker, files), run_refused):
            assert steps.returncode == 2
            assert f"no broker answers at {tls_broker.servers}" in steps.stderr


def files_of(ca, certificate="", key=""):
    """The settings with which a client shows who it is, and knows the broker."""
    files = {"CA": ca, "CERTIFICATE": certificate, "KEY": key}
    return {f"AEGIS_KAFKA_{name}": str(path) for name, path in files.items() if path}


def ask(server, files):
    """Run ``aegis topics`` in a process of its own: the library leaves vain attempts open."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", "topics"],
        env={"AEGIS_KAFKA": server.servers, **files},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_file_that_is_no_certificate_is_said_with_the_settings(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(runtime.KafkaUnavailableError, match="AEGIS_KAFKA_CA"):
        runtime.make_tls_context(KafkaSettings(kafka="127.0.0.1:9", kafka_ca=tmp_path / "ca.pem"))


def test_without_an_authority_nothing_is_encrypted():
    assert runtime.make_tls_context(KafkaSettings(kafka="127.0.0.1:9")) is None
