"""Topics of Kafka and how a broker logs; `aegis topics` reads them."""
