"""Facts that stand, the participant each belongs to, and what hangs on them."""
