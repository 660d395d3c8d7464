"""Reading of HL7 v2: frames, batches, segments, and one module per group of message types."""
