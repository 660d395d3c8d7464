"""Records that the workers of the rules acknowledged on Kafka, beside the facts of the database."""

from contextlib import contextmanager, suppress

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import CommitFailedError
from kafka.structs import OffsetAndMetadata

from services.runtime.kafka_records import FactRuns, read_facts_record
from services.runtime.topic_names import FACTS
from services.store import states
from tests.faults.lives import REST_S, RULES
from tests.helpers.distributed_service import wait_until

GROUP = f"aegis-rules-{RULES.protocol.study.lower()}"


def acknowledged_and_not_folded(life):
    """The facts (subject, seq) of records that are acknowledged and that no transaction holds."""
    with life.db.read() as conn:
        folded_through = {state.subject: state.folded_through for state in states.load_states(conn)}
    return [
        (record.key.decode(), one.seq)
        for record in _read_positions(life)
        if isinstance(results := read_facts_record(record.value), FactRuns)
        for one in results.facts
        if one.seq > folded_through.get(record.key.decode(), 0)
    ]


def publish_record(life, key, value, partition=0):
    """Let the facts topic hold a record that no relay has put there; return its place."""
    with KafkaProducer(bootstrap_servers=life.kafka.servers) as producer:
        notices = producer.send(FACTS, key=key, value=value, partition=partition).get(60)
    return TopicPartition(FACTS, notices.partition), notices.offset


def acknowledge_through(life, place, offset):
    """Let the workers of the rules, none of which runs, begin after *offset* at *place*."""
    with _reader(life) as consumer:
        consumer.assign([place])
        wait_until(
            lambda: _is_committed(consumer, place, offset + 1), REST_S, "members do not leave"
        )


def _is_committed(consumer, place, offset):
    with suppress(CommitFailedError):  # a member that died has not left yet
        consumer.commit({place: OffsetAndMetadata(offset, "", -1)})
        return True
    return False


def _read_positions(life):
    with _reader(life) as consumer:
        places = [TopicPartition(FACTS, one) for one in consumer.partitions_for_topic(FACTS)]
        ends = {place: consumer.committed(place) or 0 for place in places}
        begins = consumer.beginning_offsets(places)
        consumer.assign(places)
        for place in places:
            consumer.seek(place, begins[place])
        while any(consumer.position(place) < ends[place] for place in places):
            for place, records in consumer.poll(timeout_ms=200).items():
                yield from (record for record in records if record.offset < ends[place])


@contextmanager
def _reader(life):
    consumer = KafkaConsumer(
        bootstrap_servers=life.kafka.servers, group_id=GROUP, enable_auto_commit=False
    )
    try:
        yield consumer
    finally:
        consumer.close()
