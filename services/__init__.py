"""Aegis: what comes in, what it means, who is told."""
