"""Runs of grades: the times during which a criterion's grade was above its baseline."""
