"""Files that the rules are read from: criteria, protocols, rows of readings."""
