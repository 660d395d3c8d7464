"""Channels that deliver a notice, and the file of recipients."""
