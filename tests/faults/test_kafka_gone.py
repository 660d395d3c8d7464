"""Kafka goes away, or comes back without what it held."""

import pytest
from kafka import TopicPartition

from services.runtime.topic_names import OUTBOX_TOPICS
from tests.faults.lives import REST_S
from tests.helpers.distributed_service import wait_until
from tests.helpers.servers import open_admin_client

pytestmark = [pytest.mark.slow, pytest.mark.server]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_kafka_started_again_under_load(start_life, end):
    with start_life() as life:
        life.workers.start()
        life.feed(60)
        feed_thread = life.feed_in_background(at_once=5, between_s=0.02)
        feed_thread.wait(0.3)
        getattr(life.kafka, end)()
        feed_thread.join()  # ingest needs no Kafka
        life.kafka.start()
        life.wait_until_quiet(revive=False)
        life.prove(f"Kafka: {end}")


def test_records_that_kafka_lost_are_announced_again(start_life):
    with start_life() as life:
        life.workers.start()
        part = len(life.trial.messages) // 3
        for number in range(3):
            life.workers.stop("rules")
            life.feed(part if number < 2 else None, at_once=10)
            wait_until(lambda: "announcements" not in life.waits(), REST_S, life.waits)
            _empty(life)
            life.workers.start("rules")
            life.wait_until_quiet(revive=False)
            life.prove("topics emptied")


def test_without_a_relay_all_is_folded_and_decided_and_told(start_life):
    with start_life() as life:
        life.workers.start()
        life.feed(80, at_once=10)
        life.wait_until_quiet()
        assert life.workers.stop("relay") == {"relay": 0}
        life.feed(at_once=10)
        wait_until(lambda: life.waits().keys() <= {"announcements"}, REST_S, life.waits)
        life.workers.start("relay")
        life.wait_until_quiet(revive=False)
        life.prove("no relay")


def _empty(life):
    """Let every topic have lost all of its records."""
    with open_admin_client(life.kafka) as admin:
        every = {
            TopicPartition(topic["name"], one["partition_index"]): -1
            for topic in admin.describe_topics(list(OUTBOX_TOPICS))
            for one in topic["partitions"]
        }
        admin.delete_records(every)
