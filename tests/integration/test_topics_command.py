"""`aegis topics` against a real broker: what is missing, what differs, what it makes."""

import socket
import subprocess
import sys
import time

import pytest

from deploy.local.places import free_port
from services.cli.main import main
from services.runtime import kafka as runtime
from services.runtime import topic_names, topics
from services.runtime.settings import KafkaSettings
from tests.helpers.installation import STUDY
from tests.helpers.servers import make_topics, open_admin_client

NAMES = (
    *(topic_names.SITE_EVENTS, topic_names.FACTS, topic_names.STANDINGS, topic_names.ALERTS),
    *(topics.make_site_topic("BLINA-HSCT", site) for site in ("north", "west", "rhein")),
)


@pytest.fixture
def broker(empty_kafka, monkeypatch):
    """A broker without topics, which the commands find, as they do the trial's study."""
    monkeypatch.setenv("AEGIS_KAFKA", empty_kafka.servers)
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    return empty_kafka


def settings_of(server):
    return KafkaSettings(kafka=server.servers)


@pytest.mark.server
@pytest.mark.usefixtures("broker")
def test_on_a_new_cluster_every_topic_is_missing(capsys):
    assert main(["topics"]) == 1
    output = capsys.readouterr().out
    for name in NAMES:
        assert f"{name} " in output
    assert output.count("missing\n") == len(NAMES)


@pytest.mark.server
@pytest.mark.usefixtures("broker")
def test_create_makes_what_is_missing_and_again_is_no_change(capsys):
    assert main(["topics", "--create"]) == 0
    assert capsys.readouterr().out.count("created aegis.") == len(NAMES)
    assert main(["topics", "--create"]) == 0
    assert "no topic was missing" in capsys.readouterr().out
    assert main(["topics"]) == 0
    output = capsys.readouterr().out
    assert f"{len(NAMES)} topics, each as declared" in output
    assert "1 of the 3 brokers" in output
    assert "note: this cluster checks no rights" in output


@pytest.mark.server
@pytest.mark.usefixtures("broker")
def test_without_a_study_the_topics_of_sites_are_left_out_and_that_is_said(tmp_path, capsys):
    assert main(["topics", "--create", "--study", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert output.count("created aegis.") == 4
    assert f"note: no study in {tmp_path} (AEGIS_STUDY)" in output


@pytest.mark.server
def test_made_topics_have_the_declared_partitions_and_keep_records_for_a_week(broker):
    main(["topics", "--create"])
    results = runtime.find_topics(settings_of(broker), topics.load_topics()).topics[
        topic_names.FACTS
    ]
    assert results.partitions == 12
    assert results.settings["retention.ms"] == str(7 * 24 * 3600 * 1000)
    assert results.settings["min.insync.replicas"] == "1"  # one broker, one copy


@pytest.mark.server
def test_another_partition_count_is_reported_and_never_changed(broker, capsys):
    make_topics(broker, topic_names.FACTS, partitions=5)
    assert main(["topics", "--create"]) == 1
    output = capsys.readouterr().out
    (line,) = [one for one in output.splitlines() if one.startswith("aegis.")]
    assert line.split() == [topic_names.FACTS, "partitions", "12", "5"]
    with open_admin_client(broker) as admin:
        (topic,) = admin.describe_topics([topic_names.FACTS])
    assert len(topic["partitions"]) == 5


@pytest.mark.server
def test_another_setting_is_reported_with_both_values(broker, capsys):
    settings = topics.load_topics().topics[0].settings
    make_topics(broker, topic_names.ALERTS, settings={**settings, "retention.ms": 60000})
    assert main(["topics"]) == 1
    (line,) = [one for one in capsys.readouterr().out.splitlines() if topic_names.ALERTS in one]
    assert line.split() == [topic_names.ALERTS, "retention.ms", "604800000", "60000"]


@pytest.mark.server
def test_a_worker_refuses_another_partition_count_of_its_topic_alone(broker):
    make_topics(broker, topic_names.FACTS, partitions=5)
    runtime.check_topics(settings_of(broker), [topic_names.STANDINGS])
    with pytest.raises(runtime.TopicsError, match="has 5 partitions, and 12 are declared"):
        runtime.check_topics(settings_of(broker), [topic_names.FACTS])


@pytest.mark.server
def test_a_worker_refuses_to_start_without_its_topic(broker):
    with pytest.raises(runtime.TopicsError, match="`aegis topics --create`"):
        runtime.check_topics(settings_of(broker), [topic_names.FACTS])


@pytest.mark.server
def test_what_a_producer_sent_before_its_flush_is_read_once_by_a_group(broker):
    main(["topics", "--create"])
    settings = settings_of(broker)
    with runtime.connect_producer(settings) as producer:
        for number in range(3):
            producer.send(topic_names.FACTS, key=b"P-001", value=b"%d" % number)
        producer.flush(runtime.FLUSH_LIMIT_S)
    for expected in ([b"0", b"1", b"2"], []):
        assert read_by_group(settings, len(expected)) == expected


def read_by_group(settings, count):
    """Return the values that the group reads now, having waited for *count*, and commit."""
    with runtime.connect_consumer(settings, topic_names.FACTS, "rules") as consumer:
        results = []
        deadline = time.monotonic() + 120
        while len(results) < count or not consumer.assignment():
            assert time.monotonic() < deadline
            for records in consumer.poll(200).values():
                results += [record.value for record in records]
        for records in consumer.poll(300).values():
            results += [record.value for record in records]
        consumer.commit()
    return results


@pytest.mark.server
def test_a_producer_gives_up_within_the_flush_limit_when_the_broker_goes_away(broker):
    main(["topics", "--create"])
    with runtime.connect_producer(settings_of(broker)) as producer:
        producer.send(topic_names.FACTS, b"first").get(60)
        broker.kill()
        began = time.monotonic()
        sent_messages = producer.send(topic_names.FACTS, b"second")
        with pytest.raises(runtime.KafkaError):
            sent_messages.get(runtime.FLUSH_LIMIT_S + 20)
        assert time.monotonic() - began < runtime.FLUSH_LIMIT_S + 20


def test_a_broker_that_is_not_there_is_said_at_once(monkeypatch, capsys):
    port = free_port()
    monkeypatch.setenv("AEGIS_KAFKA", f"127.0.0.1:{port}")
    began = time.monotonic()
    assert main(["topics"]) == 2
    assert time.monotonic() - began < 5
    assert f"127.0.0.1:{port}: Connection refused" in capsys.readouterr().err


@pytest.mark.slow
def test_a_server_that_is_no_broker_is_given_up_in_bounded_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = "{}:{}".format(*silent.getsockname())
        process = subprocess.run(
            [sys.executable, "-m", "services.cli.main", "topics"],
            env={"AEGIS_KAFKA": place},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert process.returncode == 2
    assert f"no broker answers at {place}" in process.stderr
    assert "Traceback" not in process.stderr


def test_without_a_broker_named_the_command_says_which_setting(monkeypatch, capsys):
    monkeypatch.delenv("AEGIS_KAFKA", raising=False)
    assert main(["topics"]) == 2
    assert "AEGIS_KAFKA names no broker" in capsys.readouterr().err


def test_without_checksums_in_c_no_client_starts(monkeypatch):
    monkeypatch.setattr(runtime.record_util, "crc32c_c", None)
    settings = KafkaSettings(kafka="127.0.0.1:9")
    with pytest.raises(runtime.KafkaUnavailableError, match="crc32c"):
        runtime.connect_producer(settings)
    with pytest.raises(runtime.KafkaUnavailableError, match="crc32c"):
        runtime.connect_consumer(settings, topic_names.FACTS, "rules")
