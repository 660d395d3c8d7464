"""The whole way from the MLLP port to records, on PostgreSQL and Kafka."""
