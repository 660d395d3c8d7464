"""The words of the trial as frozen values: facts, grades, records, decisions, alerts.

The standard library, and msgspec for what is read and written most, so that every package may use
them.
"""
