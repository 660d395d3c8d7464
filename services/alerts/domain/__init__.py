"""The notice that is due, its recipients and its words."""
