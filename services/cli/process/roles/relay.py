"""The relay, as a part of a process."""

from functools import partial

from services.cli.process.gauges import RelayGauges
from services.cli.process.process_server import make_holder_name
from services.cli.process.roles.parts import Parts
from services.relay.worker import Relay
from services.runtime import kafka
from services.runtime.clock import now_utc
from services.runtime.topic_names import OUTBOX_TOPICS


def add_relay(parts: Parts) -> None:
    """Let announcements be carried to Kafka.

    Raises:
        services.runtime.kafka_errors.KafkaUnavailableError: It cannot be reached.
        services.runtime.kafka_errors.TopicsError: A topic is not what it has to be.
    """
    kafka.require_fast_checksums()
    kafka.check_topics(parts.settings.kafka, OUTBOX_TOPICS)
    kafka.require_fast_checksums()
    relay = Relay(
        parts.context.db,
        partial(kafka.connect_producer, parts.settings.kafka),
        parts.context.study_id,
        make_holder_name(),
        now_utc,
        parts.add_progress("relay"),
    )
    parts.work["relay"] = relay.run
    parts.shows.append(RelayGauges(parts.metrics).show)
