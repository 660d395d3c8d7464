"""The relay: carries announcements of the outbox to Kafka."""
