"""The base of every process: settings, clock, logs, metrics, JSON, Kafka and health."""
