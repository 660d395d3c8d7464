"""Workers that fold and decide: woken by the journal, by Kafka, or by a sweep."""
