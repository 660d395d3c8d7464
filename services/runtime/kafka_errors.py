"""Errors of Kafka that a process reports: known without the client library, which not all have."""


class KafkaUnavailableError(Exception):
    """Kafka cannot be reached, or refuses; the message says where and why."""


class TopicsError(Exception):
    """A topic is not what the workers rely on; the message says which and what to do."""
