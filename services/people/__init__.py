"""Persons of the study: roles and rights, passwords, sessions and tokens."""
