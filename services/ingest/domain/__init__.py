"""Pure functions from the bytes of a message to drafts of facts, parked items or a refusal."""
