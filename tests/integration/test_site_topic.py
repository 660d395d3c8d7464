"""Messages that sites push to Kafka: none is lost or taken twice, and a refused one is kept."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import httpx
import pytest
from kafka import TopicPartition

from services.cli.main import main
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import open_in
from services.ingest import parked_items
from services.ingest.domain.message_content import ParkReason
from services.ingest.domain.site import Sites
from services.ingest.site_topic import SiteTopic, consumer_group
from services.ingest.writer import Writer
from services.runtime import kafka as runtime
from services.runtime.settings import (
    AlertSettings,
    HttpSettings,
    IngestSettings,
    KafkaSettings,
)
from services.runtime.store_settings import read_store_settings
from services.runtime.topic_names import SITE_EVENTS, make_site_topic
from services.store import journal, messages, parking
from services.store.journal import UnknownParticipantError
from services.store.session import DatabaseError
from tests.helpers.hl7_messages import NORTH, RHEIN, labs, obx
from tests.helpers.installation import STUDY
from tests.helpers.intake import feed_facts, list_parked, new_intake
from tests.helpers.servers import make_topics

PARTITION = TopicPartition(SITE_EVENTS, 0)
FACT = {
    "subject": "P-001",
    "observed_at": "2026-03-01T08:00:00Z",
    "body": {"kind": "observation", "measure": "alt", "value": {"value": "30", "unit": "U/L"}},
}


class Record(NamedTuple):
    """A record, as the library hands it over."""

    offset: int
    key: bytes | None
    value: bytes | None


class PushedRecords:
    """One partition of a topic, as its reader sees it; *committed_offset* is the group's."""

    def __init__(self, *records, partition=PARTITION):
        self.partition = partition
        self.records = [Record(n, key, value) for n, (key, value) in enumerate(records)]
        self.instant = self.committed_offset = 0

    def poll(self, _timeout_ms, max_records):
        batch = self.records[self.instant : self.instant + max_records]
        self.instant += len(batch)
        return {self.partition: batch} if batch else {}

    def commit(self, offsets):
        self.committed_offset = offsets[self.partition].offset

    def seek(self, _partition, offset):
        self.instant = offset

    def assignment(self):
        return {self.partition}

    def highwater(self, _partition):
        return len(self.records)

    def position(self, _partition, _timeout_ms):
        return self.instant


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


@pytest.fixture
def reader(intake):
    """Makes the reader of some records; what it kept is in its list ``kept``."""
    writers = []

    def create_reader(*records, partition=PARTITION, **settings):
        writer = Writer(intake)
        writer.start()
        writers.append(writer)
        dead_letters = []
        site_topic = SiteTopic(
            PushedRecords(*records, partition=partition),
            writer,
            on_dead_letter=lambda *letter: dead_letters.append(letter),
            **settings,
        )
        return site_topic, dead_letters

    yield create_reader
    for writer in writers:
        writer.stop()


def result(value, control_id, **head):
    return labs(obx(value), control_id=control_id, **head)


def test_messages_and_facts_are_taken_and_a_record_that_comes_again_changes_nothing(intake, reader):
    records = [(b"north", result("0.4", "1")), (b"north", json.dumps(FACT).encode())]
    topic, dead_letters = reader(*records, *records)
    assert topic.step()
    assert topic.consumer.committed_offset == 4
    assert [fact.body.measure for fact in feed_facts(intake)] == ["neutrophils", "alt"]
    assert not list_parked(intake)
    assert not dead_letters


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"north", b"good morning", ParkReason.REFUSED),
        (b"north", b"", ParkReason.REFUSED),
        (b"north", None, ParkReason.REFUSED),
        (b"north", b'{"subject": "\xff"}', ParkReason.REFUSED),
        (b"north", result("1", "9", sender="LAB|SOUTH"), ParkReason.NO_SITE),
        (b"rhein", result("1", "9"), ParkReason.WRONG_SITE),
        (b"south", result("1", "9"), ParkReason.NO_SITE),
        (b"\xff\x00", result("1", "9"), ParkReason.NO_SITE),
        (None, result("1", "9"), ParkReason.NO_SITE),
        (b"north", result("1" * 5000, "9"), ParkReason.TOO_LONG),
    ],
)
def test_what_can_never_be_accepted_is_kept_with_the_reason(intake, reader, key, value, reason):
    good = (b"north", result("0.4", "1"))
    topic, dead_letters = reader((key, value), good, (key, value), largest_bytes=4096)
    assert topic.step()
    assert topic.consumer.committed_offset == 3
    assert len(feed_facts(intake)) == 1
    site = key.decode() if key in (b"north", b"rhein") else ""
    assert dead_letters == [(site, reason)] * 2
    with intake.db.read() as conn:
        row = parking.load_parked(conn)
        assert [(one.reason, one.site) for one in row] == [(reason, site)]
        raw_message = messages.load_message(conn, intake.keys, row[0].message)
    assert raw_message.body == (value or b"")
    assert raw_message.source == "kafka"


OF_NORTH = TopicPartition(make_site_topic("TRIAL", "north"), 0)
OTHER_SITE_FACT = {**FACT, "subject": "P-002"}
OWN_TOPIC = {  # key and value of a record on the topic of north; facts, and why it is parked
    "a message of the site": ((b"north", result("0.4", "1")), 1, []),
    "a message without a key": ((None, result("0.4", "1")), 1, []),
    "a key of a participant": ((b"P-001", result("0.4", "1")), 1, []),
    "a key that names another site": ((b"rhein", result("0.4", "1")), 1, []),
    "facts of the site": ((None, json.dumps(FACT).encode()), 1, []),
    "a message of another site": (
        (b"rhein", result("0.4", "1", sender="ORBIS|RHEIN")),
        0,
        [("wrong-site", "MSH-4")],
    ),
    "facts of another site's participant": (
        (b"rhein", json.dumps(OTHER_SITE_FACT).encode()),
        0,
        [("unknown-participant", "line 1")],
    ),
    "a fact of two subjects": (
        (None, json.dumps(OTHER_SITE_FACT | {"id": "P-001"}).replace('"id"', '"subject"').encode()),
        0,
        [("unreadable-line", "line 1")],
    ),
}


@pytest.mark.parametrize(("record", "facts", "parked"), OWN_TOPIC.values(), ids=OWN_TOPIC)
def test_the_topic_of_one_site_speaks_for_it_whatever_the_key(
    intake, reader, record, facts, parked
):
    topic, _ = reader(record, partition=OF_NORTH, site_of_topic={OF_NORTH.topic: "north"})
    assert topic.step()
    assert topic.consumer.committed_offset == 1
    assert (len(feed_facts(intake)), feed_facts(intake, "P-002")) == (facts, [])
    assert list_parked(intake) == parked
    with intake.db.read() as conn:
        assert {row.site for row in parking.load_parked(conn)} <= {"north"}


def test_a_message_of_another_site_stays_parked_after_a_retry(intake, reader):
    record = (b"rhein", result("0.4", "1", sender="ORBIS|RHEIN"))
    topic, _ = reader(record, partition=OF_NORTH, site_of_topic={OF_NORTH.topic: "north"})
    assert topic.step()
    assert parked_items.retry_parked(intake, "anna") == parked_items.RetryResult(0, 0, 1)


def test_a_site_that_is_named_later_is_heard_by_a_retry(intake, reader):
    topic, _ = reader((b"lab-2", result("0.4", "1")))
    assert topic.step()
    assert parked_items.retry_parked(intake, "anna") == parked_items.RetryResult(0, 0, 1)
    lab = replace(NORTH, id="lab-2", senders=("LAB|NORTH",))
    intake.sites = Sites.build((replace(NORTH, senders=()), RHEIN, lab))
    assert parked_items.retry_parked(intake, "anna").closed_items == 1
    assert [reason for reason, _ in list_parked(intake)] == ["unknown-participant"]


def test_a_message_that_was_refused_enters_by_a_retry_once_its_sender_is_known(intake, reader):
    topic, _ = reader((b"north", result("0.4", "1", sender="LAB|NEW")))
    assert topic.step()
    assert parked_items.retry_parked(intake, "anna") == parked_items.RetryResult(0, 0, 1)
    intake.sites = Sites.build((replace(NORTH, senders=("LAB|NORTH", "LAB|NEW")), RHEIN))
    assert parked_items.retry_parked(intake, "anna") == parked_items.RetryResult(1, 1, 0)
    assert len(feed_facts(intake)) == 1
    assert not list_parked(intake)


def test_a_record_without_a_key_never_speaks_for_a_person(intake, reader):
    decision = {**FACT, "body": {"kind": "death", "cause": "", "at": "2026-03-01T08:00:00Z"}}
    topic, _ = reader((None, json.dumps(decision).encode()))
    assert topic.step()
    assert parked_items.retry_parked(intake, "anna").facts == 0
    assert not feed_facts(intake)


def fail_for_message(does, control_id, error, times):
    """An `append` that raises *error* so many times for one message, and else *does*."""
    errors = [error] * times

    def append(conn, keys, arrivals):
        if errors and any(one.message.control_id == control_id for one in arrivals):
            if len(arrivals) == 1:
                raise errors.pop()
            raise error
        does(conn, keys, arrivals)

    return append


def test_what_cannot_be_stored_now_is_read_again_before_anything_is_committed(
    intake, reader, monkeypatch
):
    topic, dead_letters = reader((b"north", result("0.4", "1")), (b"north", b"nothing"))
    monkeypatch.setattr(
        journal,
        "append_arrivals",
        fail_for_message(journal.append_arrivals, "1", DatabaseError("gone"), 4),
    )
    steps = [topic.step() for _ in range(3)]
    assert steps == [False, False, True]
    assert topic.consumer.committed_offset == 2
    assert len(feed_facts(intake)) == 1
    assert len(list_parked(intake)) == 1, dead_letters


def test_one_message_that_fails_for_what_it_is_does_not_stop_the_others(
    intake, reader, monkeypatch
):
    fails = fail_for_message(journal.append_arrivals, "bad", UnknownParticipantError(), 2)
    monkeypatch.setattr(journal, "append_arrivals", fails)
    topic, dead_letters = reader(
        (b"north", result("0.4", "bad")), (b"north", result("0.5", "good"))
    )
    assert topic.step()
    assert topic.consumer.committed_offset == 2
    assert (list_parked(intake), dead_letters) == ([("not-stored", "message")], [])
    assert len(feed_facts(intake)) == 1


# a real broker


def reading(intake, server, **options):
    """A reader of the group, and the way to end it."""
    writer = Writer(intake)
    writer.start()
    settings = KafkaSettings(kafka=server.servers)
    topic = SiteTopic(
        runtime.connect_consumer(settings, SITE_EVENTS, consumer_group("TRIAL")), writer, **options
    )
    stop = threading.Event()
    thread = threading.Thread(target=topic.run, args=(stop,))
    thread.start()

    def end():
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
        writer.stop()

    return topic, end


def push(server, records, topic=SITE_EVENTS):
    producer = runtime.connect_producer(KafkaSettings(kafka=server.servers))
    for key, value in records:
        producer.send(topic, key=key, value=value)
    producer.flush(30)
    producer.close()


def wait_for(is_so, within_s=60):
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def count(intake):
    with intake.db.read() as conn:
        return messages.count_messages(conn, ("kafka",))


@pytest.mark.server
def test_readers_that_come_and_go_take_every_record_once(intake, kafka, caplog):
    sites = [(b"north", "LAB|NORTH"), (b"rhein", "ORBIS|RHEIN")]
    sent_messages = [
        (key, result(f"0.{n}", str(n), sender=sender))
        for n in range(1, 60)
        for key, sender in sites
    ]
    lags = {}
    _, end_first = reading(intake, kafka)
    push(kafka, sent_messages[:40])
    wait_for(lambda: count(intake) >= 20)
    _, end_second = reading(
        intake, kafka, on_lag=lambda _topic, partition, lag: lags.update({partition: lag})
    )
    push(kafka, sent_messages[40:80])
    wait_for(lambda: lags)  # it has partitions of its own
    end_first()
    push(kafka, sent_messages[80:])
    wait_for(lambda: count(intake) == len(sent_messages))
    wait_for(lambda: len(lags) == 12 and not any(lags.values()))
    end_second()
    about_nobody = ("no-participant", "unknown-participant")
    assert not [reason for reason, _ in list_parked(intake) if reason not in about_nobody]

    _, end = reading(intake, kafka)  # where the group is, nothing is left
    push(kafka, [(b"north", result("0.1", "1")), (b"north", result("9.9", "new"))])
    wait_for(lambda: count(intake) == len(sent_messages) + 1)
    end()
    assert len(feed_facts(intake)) == len(sent_messages) // 2 + 1
    assert "No partition metadata" not in caplog.text  # who leads then gives partitions to nobody


@pytest.mark.server
@pytest.mark.slow
def test_a_broker_that_was_killed_and_comes_back_is_read_on(intake, kafka):
    _, end = reading(intake, kafka)
    push(kafka, [(b"north", result(f"0.{n}", f"before-{n}")) for n in range(1, 20)])
    wait_for(lambda: count(intake) == 19)
    kafka.kill()
    kafka.start()
    push(kafka, [(b"north", result(f"0.{n}", f"after-{n}")) for n in range(1, 20)])
    wait_for(lambda: count(intake) == 38, within_s=120)
    end()
    assert len(feed_facts(intake)) == 38
    assert not list_parked(intake)


@pytest.mark.server
@pytest.mark.slow
def test_one_that_is_killed_between_the_disk_and_the_offset_takes_nothing_twice(
    kafka, postgres, tmp_path, monkeypatch
):
    for name, value in {
        "AEGIS_DATABASE_URL": postgres.url,
        "AEGIS_KAFKA": kafka.servers,
        "AEGIS_KAFKA_SESSION_S": "2",
        "AEGIS_DATA": str(tmp_path),
        "AEGIS_STUDY": str(STUDY),
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["migrate"]) == 0
    sent_messages = [
        (b"north", result(f"0.{n}", str(n), sender="EPIC|NORTH")) if n % 3 else (None, b"%d" % n)
        for n in range(1, 31)
    ]
    push(kafka, sent_messages)

    def count_kept():
        return postgres.query("SELECT count(*), count(DISTINCT sha256) FROM raw_message")[0]

    with start_reader(tmp_path / "1.log", AEGIS_FAILPOINT="ingest.before_offset:1") as process:
        assert process.wait(90) == 137
    assert 0 < count_kept()[0] <= len(sent_messages)
    with start_reader(tmp_path / "2.log") as process:
        wait_for(lambda: count_kept()[0] == len(sent_messages), within_s=90)
        push(kafka, [(b"north", result("9.9", "last", sender="EPIC|NORTH"))])
        wait_for(lambda: count_kept()[0] == len(sent_messages) + 1, within_s=90)
        process.terminate()
        assert process.wait(60) == 0
    assert count_kept() == (len(sent_messages) + 1, len(sent_messages) + 1)


@contextmanager
def start_reader(log, **settings):
    """A process of ingest, which is gone afterwards."""
    command = [sys.executable, "-m", "services.cli.main", "run", "ingest"]
    with log.open("w") as log_file:
        process = subprocess.Popen(
            [*command, "--mllp-port=0", "--http-port=0"],
            env={**os.environ, **settings},
            stdout=log_file,
            stderr=log_file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.server
def test_the_ingest_role_reads_the_topic_and_shows_how_far_it_is(
    kafka, postgres, tmp_path, monkeypatch
):
    for name, value in {
        "AEGIS_DATABASE_URL": postgres.url,
        "AEGIS_KAFKA": kafka.servers,
        "AEGIS_DATA": str(tmp_path),
        "AEGIS_STUDY": str(STUDY),
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["migrate"]) == 0
    make_topics(kafka, study="BLINA-HSCT", sites=["north"])
    north_topic = make_site_topic("BLINA-HSCT", "north")
    context = open_in(read_store_settings(), service="ingest")
    settings = ProcessSettings(
        IngestSettings(mllp_port=0), HttpSettings(http_port=0), AlertSettings(), KafkaSettings()
    )
    service = Background(Service(context, settings, "ingest"))
    port = service.start().http
    try:
        push(kafka, [(b"north", result("0.4", "1", sender="EPIC|NORTH")), (None, b"?")])
        wait_for(lambda: len(postgres.query("SELECT id FROM parked")) == 2)
        push(kafka, [(None, result("0.5", "2", sender="EPIC|NORTH"))], north_topic)
        wait_for(lambda: len(postgres.query("SELECT id FROM parked")) == 3)

        def shows(line):
            return line in httpx.get(f"http://127.0.0.1:{port}/metrics").text

        wait_for(lambda: shows('aegis_parked_total{reason="no-site",site="unknown"} 1.0'))
        wait_for(
            lambda: shows('aegis_ingest_messages_total{ack="AA",site="north",type="ORU^R01"} 2.0')
        )
        wait_for(lambda: shows('aegis_last_message_timestamp_seconds{site="north"}'))
        for partition in range(12):
            lag = f'aegis_consumer_lag{{partition="{partition}",topic="{SITE_EVENTS}"}} 0.0'
            wait_for(lambda lag=lag: shows(lag))
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200)
        (warning,) = [
            one
            for one in httpx.get(f"http://127.0.0.1:{port}/readyz").json()["warnings"]
            if "there is no topic" in one
        ]
        assert make_site_topic("BLINA-HSCT", "rhein") in warning
        assert north_topic not in warning
    finally:
        service.stop()
        context.db.close()
    topics = {row[0] for row in postgres.query("SELECT source FROM raw_message")}
    assert topics == {"kafka"}
