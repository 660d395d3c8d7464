"""Connections to Kafka with the options of a service in production.

`KafkaSettings` names the brokers and their certificates; the content of records is not known here.
"""

import logging
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError, KafkaTimeoutError, for_code
from kafka.record import util as record_util

from services.runtime.kafka_errors import KafkaUnavailableError, TopicsError
from services.runtime.settings import KafkaSettings
from services.runtime.topics import (
    MISSING,
    PARTITIONS,
    ActualTopic,
    Cluster,
    DeclaredTopic,
    DeclaredTopics,
    find_differences,
    load_topics,
    require_declared,
)

__all__ = ["KafkaError", "KafkaUnavailableError", "TopicsError"]  # of other modules

FLUSH_LIMIT_S: Final = 10.0
_DELIVERED_S: Final = 8.0  # less: else a flush ends before records have failed, and none can close

_REACH_S = 3.0  # for each broker
_CONNECT_MS = 10_000
_LARGEST_RECORD = 1_048_576  # bytes; max.message.bytes of the topics


def require_fast_checksums() -> None:
    """Require that checksums of records are computed in C.

    Raises:
        KafkaUnavailableError: They would be computed in Python, two hundred times as slow.
    """
    if record_util.crc32c_c is None:
        raise KafkaUnavailableError(
            "the package crc32c is missing or has no C code here: every record would cost a"
            " thousand times as much; install it (pip install crc32c)"
        )


def connect_producer(settings: KafkaSettings) -> KafkaProducer:
    """Return a producer whose acknowledged records are on every copy in sync.

    Give `KafkaProducer.flush` the limit `FLUSH_LIMIT_S`: a record that is not acknowledged by then
    has failed, and is not sent later. Records are not compressed: a reader without the codec could
    not read them.

    Raises:
        KafkaUnavailableError: No broker answers in time, or checksums would be slow.
    """
    require_fast_checksums()
    with _explain_errors(settings):
        return KafkaProducer(
            **_connection_settings(settings),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            batch_size=131_072,
            max_request_size=_LARGEST_RECORD,
            request_timeout_ms=5_000,
            delivery_timeout_ms=int(_DELIVERED_S * 1_000),
            max_block_ms=int(FLUSH_LIMIT_S * 1_000),
            allow_auto_create_topics=False,
        )


def connect_consumer(
    settings: KafkaSettings, topic: str, group: str, further_topics: Sequence[str] = ()
) -> KafkaConsumer:
    """Return a member of *group* that reads *topic* on from the offset of the group, or its start.

    It reads *further_topics* in the same way; all of them exist. It commits no offset by itself:
    call `KafkaConsumer.commit` once the records are stored.

    Raises:
        KafkaUnavailableError: No broker answers in time, or checksums would be slow.
    """
    require_fast_checksums()
    with _explain_errors(settings):
        client = KafkaConsumer(
            **_connection_settings(settings),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[CooperativeStickyAssignor],
            session_timeout_ms=int(settings.kafka_session_s * 1_000),
            heartbeat_interval_ms=int(settings.kafka_session_s * 100),
            allow_auto_create_topics=False,
        )
        # A member that leads the group before it knows the partitions gives them to nobody, and
        # whether it notices soon is a matter of luck (kafka-python, issue 2377).
        topics = [topic, *further_topics]
        for name in topics:
            client.partitions_for_topic(name)
        client.subscribe(topics)
        return client


def check_topics(settings: KafkaSettings, names: Iterable[str]) -> None:
    """Require that the topics *names* exist, each with the declared number of partitions.

    Raises:
        KafkaUnavailableError: No broker answers in time.
        TopicsError: One is missing, or has another count: facts of one participant would be in
            two places.
        services.runtime.file_error.UntrustedFileError: The file of topics cannot be trusted, or
            does not declare one.
    """
    plan = load_topics(settings.kafka_topics)
    needed_names = frozenset(names)
    require_declared(plan, needed_names, settings.kafka_topics)
    for difference in find_differences(plan, find_topics(settings, plan)):
        if difference.topic in needed_names and difference.aspect == MISSING:
            raise TopicsError(
                f"there is no topic {difference.topic}: `aegis topics --create` makes it"
            )
        if difference.topic in needed_names and difference.aspect == PARTITIONS:
            raise TopicsError(
                f"topic {difference.topic} has {difference.actual} partitions,"
                f" and {difference.expected} are declared:"
                " this worker does not start, see `aegis topics`"
            )


def find_topics(settings: KafkaSettings, plan: DeclaredTopics) -> Cluster:
    """Return the topics of the cluster that *plan* declares.

    Raises:
        KafkaUnavailableError: No broker answers in time, or it refuses.
    """
    with lend_admin(settings) as admin:
        brokers = len(admin.describe_cluster()["brokers"])
        descriptions = {topic["name"]: topic for topic in admin.describe_topics()}
        topics = [topic for topic in plan.topics if topic.name in descriptions]
        settings_of = _describe_settings(admin, topics)
        return Cluster(
            brokers,
            {
                one.name: _read_topic(descriptions[one.name], settings_of[one.name])
                for one in topics
            },
        )


def select_existing_topics(settings: KafkaSettings, names: Iterable[str]) -> list[str]:
    """Return those of *names* that the cluster has a topic of.

    Raises:
        KafkaUnavailableError: No broker answers in time, or it refuses.
    """
    with lend_admin(settings) as admin:
        existing_names = frozenset(admin.list_topics())
    return [name for name in names if name in existing_names]


def create_topics(settings: KafkaSettings, plan: DeclaredTopics) -> list[str]:
    """Create the topics of *plan* that are missing; return their names.

    Raises:
        KafkaUnavailableError: No broker answers in time, or it refuses.
    """
    cluster = find_topics(settings, plan)
    missing = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": plan.count_copies(cluster.brokers),
            "configs": plan.settings_for(topic, cluster.brokers),
        }
        for topic in plan.topics
        if topic.name not in cluster.topics
    }
    if missing:
        with lend_admin(settings) as admin:
            admin.create_topics(missing, wait_for_metadata=True)
    return list(missing)


def count_records(settings: KafkaSettings, topics: Iterable[str]) -> int:
    """Return the number of records in *topics*.

    Raises:
        KafkaUnavailableError: No broker answers in time.
    """
    with _explain_errors(settings):
        reader = KafkaConsumer(**_connection_settings(settings), allow_auto_create_topics=False)
        try:
            every = [
                TopicPartition(topic, partition)
                for topic in topics
                for partition in reader.partitions_for_topic(topic) or ()
            ]
            begin, end = reader.beginning_offsets(every), reader.end_offsets(every)
            return sum(end[one] - begin[one] for one in every)
        finally:
            reader.close()


def make_tls_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Return the TLS settings of connections; None when they are not encrypted.

    Raises:
        KafkaUnavailableError: A file holds no certificate or key.
    """
    if settings.kafka_ca is None:
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.kafka_ca))
        if settings.kafka_certificate is not None:
            context.load_cert_chain(settings.kafka_certificate, settings.kafka_key)
    except OSError as error:
        raise KafkaUnavailableError(
            f"AEGIS_KAFKA_CA, AEGIS_KAFKA_CERTIFICATE or AEGIS_KAFKA_KEY: {error}"
        ) from error
    return context


def _connection_settings(settings: KafkaSettings) -> dict[str, Any]:
    context = make_tls_context(settings)
    return {
        "bootstrap_servers": settings.servers,
        "client_id": "aegis",
        "bootstrap_timeout_ms": _CONNECT_MS,
        "security_protocol": "PLAINTEXT" if context is None else "SSL",
        "ssl_context": context,
    }


@contextmanager
def lend_admin(settings: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """Lend an admin client.

    Raises:
        KafkaUnavailableError: No broker answers in time, or it refuses.
    """
    with (
        _explain_errors(settings),
        KafkaAdminClient(**_connection_settings(settings), request_timeout_ms=_CONNECT_MS) as admin,
    ):
        yield admin


@contextmanager
def _explain_errors(settings: KafkaSettings) -> Iterator[None]:
    """Turn errors of the library into one sentence each, and silence its log of retries."""
    _reach_any_broker(settings)
    library = logging.getLogger("kafka")
    level = library.level
    library.setLevel(logging.CRITICAL)
    try:
        yield
    except KafkaTimeoutError as error:
        encryption = ", with TLS as AEGIS_KAFKA_CA says" if settings.kafka_ca else ", without TLS"
        raise KafkaUnavailableError(
            f"no broker answers at {settings.kafka} (AEGIS_KAFKA){encryption}: {error}"
        ) from error
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka at {settings.kafka} refuses: {error}") from error
    finally:
        library.setLevel(level)


def _reach_any_broker(settings: KafkaSettings) -> None:
    """Require that a broker accepts connections.

    The library only reports a timeout, and leaves a thread behind for every failed attempt.
    """
    if not settings.servers:
        raise KafkaUnavailableError("AEGIS_KAFKA names no broker, like 127.0.0.1:9092")
    failures = []
    for server in settings.servers:
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _REACH_S).close()
        except OSError as error:
            failures.append(f"{server}: {error.strerror or error}")
        else:
            return
    raise KafkaUnavailableError(
        f"no broker answers (AEGIS_KAFKA): {'; '.join(failures)}; start it, or name another"
    )


def _describe_settings(
    admin: KafkaAdminClient, topics: Iterable[DeclaredTopic]
) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, t.name, list(t.settings)) for t in topics]
    descriptions = (
        admin.describe_configs(resources, config_filter="all").get("topic", {}) if resources else {}
    )
    return {
        name: {key: str(one["value"]) for key, one in found.items()}
        for name, found in descriptions.items()
    }


def _read_topic(topic: dict[str, Any], settings: dict[str, str]) -> ActualTopic:
    if topic["error_code"]:
        raise for_code(topic["error_code"])(topic["name"])
    partitions = topic["partitions"]
    copies = min(len(one["replica_nodes"]) for one in partitions)
    return ActualTopic(len(partitions), copies, settings)
