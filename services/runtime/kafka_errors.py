"""Errors of Kafka that a process reports; importable without the client library."""


class KafkaUnavailableError(Exception):
    """Kafka cannot be reached, or refuses; the message names the place and the reason."""


class TopicsError(Exception):
    """A topic is not as the workers need it; the message names it and the remedy."""
