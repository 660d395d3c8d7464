"""`aegis topics` on a broker that checks rights, and what a site's certificate can do there."""

import json
import shutil

import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import TopicAuthorizationFailedError

from deploy.local.kafka import Kafka
from deploy.local.places import free_port
from services.cli.main import main
from services.runtime import kafka as runtime
from services.runtime.kafka_rights import RightsUnknownError, find_topic_rights
from services.runtime.settings import KafkaSettings
from services.runtime.topic_names import FACTS, SITE_EVENTS, make_site_topic
from tests.helpers.certificates import Authority
from tests.helpers.installation import STUDY
from tests.helpers.servers import skip_without_server

pytestmark = pytest.mark.server

NORTH = make_site_topic("BLINA-HSCT", "north")
RHEIN = make_site_topic("BLINA-HSCT", "rhein")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="module")
def broker(servers_folder, authority):
    """A broker that knows clients by their certificates, and lets each do what a rule allows."""
    certificate, key = authority.issue("broker")
    pair = authority.folder / "broker-with-key.pem"
    pair.write_bytes(key.read_bytes() + certificate.read_bytes())
    settings = {
        "listener.security.protocol.map": "CLIENTS:SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pair),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.path),
        "ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:CN=broker;User:CN=operator",
    }
    with skip_without_server():
        server = Kafka(servers_folder / "rights", free_port(), short_lived=True, settings=settings)
    try:
        yield server.start()
    finally:
        server.erase()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The trial's study, whose sites north and rhein have certificates."""
    folder = tmp_path_factory.mktemp("study") / "blina-hsct"
    shutil.copytree(STUDY, folder)
    text = (folder / "sites.yaml").read_text()
    for site in ("north", "rhein"):
        text = text.replace(f"id: {site}\n", f"id: {site}\n    certificates: [CN={site}]\n")
    (folder / "sites.yaml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def settings_of(broker, authority):
    """Makes the settings of a client by its certificate."""
    pairs = {}

    def make_settings(name):
        pairs.setdefault(name, authority.issue(name))
        certificate, key = pairs[name]
        return KafkaSettings(
            kafka=broker.servers,
            kafka_ca=authority.path,
            kafka_certificate=certificate,
            kafka_key=key,
        )

    return make_settings


@pytest.fixture
def topics(settings_of, study, monkeypatch, capsys):
    """Run ``aegis topics`` as somebody; return its exit code and what it prints."""

    def run_command(*words, name="operator"):
        settings = settings_of(name)
        monkeypatch.setenv("AEGIS_KAFKA", settings.kafka)
        for part in ("ca", "certificate", "key"):
            monkeypatch.setenv(
                f"AEGIS_KAFKA_{part.upper()}", str(getattr(settings, f"kafka_{part}"))
            )
        code = main(["topics", "--study", str(study), *words])
        return code, capsys.readouterr().out

    return run_command


def allow(settings, principal, operation, topic, *, pattern=ACLResourcePatternType.LITERAL):
    with runtime.lend_admin(settings) as admin:
        rule = ACL(
            principal,
            "*",
            operation,
            ACLPermissionType.ALLOW,
            ResourcePattern(ResourceType.TOPIC, topic, pattern),
        )
        assert not admin.create_acls([rule])["failed"]


def write(settings, topic):
    with runtime.connect_producer(settings) as producer:
        return producer.send(topic, b"x").get(60)


def test_rights_are_compared_and_hold(settings_of, topics):
    operator = settings_of("operator")
    code, output = topics("--create")
    assert code == 1
    rows = [line.split() for line in output.splitlines() if line.startswith("aegis.")]
    assert rows == [
        [NORTH, "who", "writes", "User:CN=north", "it", "may", "not"],
        [RHEIN, "who", "writes", "User:CN=rhein", "it", "may", "not"],
    ]
    for site, topic in (("north", NORTH), ("rhein", RHEIN)):
        allow(operator, f"User:CN={site}", ACLOperation.WRITE, topic)
    prefix_pattern = ACLResourcePatternType.PREFIXED
    allow(operator, "User:CN=ingest", ACLOperation.READ, "aegis.", pattern=prefix_pattern)
    assert topics()[0] == 0
    assert len(find_topic_rights(operator)) == 3

    assert write(settings_of("north"), NORTH).offset == 0
    for topic in (RHEIN, SITE_EVENTS, FACTS):
        with pytest.raises(TopicAuthorizationFailedError):
            write(settings_of("north"), topic)

    allow(operator, "User:CN=rhein", ACLOperation.ALL, "aegis.blina", pattern=prefix_pattern)
    code, output = topics("--json")
    assert code == 1
    differences = [json.loads(line) for line in output.splitlines()]
    west = make_site_topic("BLINA-HSCT", "west")
    assert [(one["topic"], one["what"], one["found"]) for one in differences] == [
        (topic, what, "User:CN=rhein")
        for topic in (NORTH, west)
        for what in ("who writes", "who reads")
    ]


def test_a_client_that_may_not_see_rights_is_told_that_they_are_not_compared(settings_of):
    with pytest.raises(RightsUnknownError, match="this client may not see them"):
        find_topic_rights(settings_of("rhein"))


def test_on_a_broker_that_checks_no_rights_that_is_said(kafka_server):
    kafka_server.start()
    with pytest.raises(RightsUnknownError, match="whoever reaches a broker may write"):
        find_topic_rights(KafkaSettings(kafka=kafka_server.servers))
