"""Aegis as many processes on one machine, with servers of its own, without containers."""
