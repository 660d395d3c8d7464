"""Runs: the times during which a grade was above its baseline."""
