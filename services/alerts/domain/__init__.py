"""Which notice is due, to whom, and its words."""
