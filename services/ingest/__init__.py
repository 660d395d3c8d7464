"""Ingest: accepts messages of the sites (HL7 v2, facts) and appends their facts to the journal.

Whatever cannot be used yet is parked with its reason; nothing is lost and nothing is guessed.
"""
