"""Data queries: what a data manager has to look into."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Query:
    """A problem of the data that a person has to resolve; *facts* are ids."""

    problem: str
    facts: tuple[str, ...]
    participant: str = ""


@dataclass(frozen=True, slots=True)
class QueryPeriod:
    """The data queries on one participant from *since* until *until* (None: for good).

    Both are aware and in UTC. They hold while no fact of the participant comes.
    """

    since: datetime
    until: datetime | None
    queries: tuple[Query, ...]
