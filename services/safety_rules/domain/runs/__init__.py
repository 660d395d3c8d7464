"""Runs: stretches of time during which a grade was above its baseline."""
