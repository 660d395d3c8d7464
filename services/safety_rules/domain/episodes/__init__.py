"""Adverse event records: the course of each criterion, its runs, and the identity of records."""
