"""The words of the trial as frozen dataclasses: facts, grades, records, decisions, alerts.

Standard library only, so that every package may use them.
"""
