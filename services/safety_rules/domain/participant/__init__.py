"""The fold of one participant's facts into records, and the history of linked participants."""
