"""Stopping rules: their design, their exact properties, and the decision at a data cut."""
