"""CTCAE criteria and the grade of one reading: exact, or an interval."""
