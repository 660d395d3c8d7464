"""The rules as pure functions of facts: no clock, no database, no log."""
