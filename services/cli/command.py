"""What a command is, and how it says that it cannot be done."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass


class CommandError(Exception):
    """The command cannot be done; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Command:
    """One word after ``aegis``: *perform* returns the exit code."""

    name: str
    purpose: str
    arguments: Callable[[ArgumentParser], None]
    perform: Callable[[Namespace], int]
