"""The error of every command: it cannot be done, and why."""


class CommandError(Exception):
    """The command cannot be done; the message says what, where and what to do."""
