"""Clocks of serious adverse events with the time that is left, and records that propose some."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.alerts.domain.sae_clocks import find_stage, propose_clocks
from services.store import records, sae_clocks
from services.store.sae_clocks import ClockRow
from services.store.session import Connection
from services.vocabulary.episode import Episode, EpisodeState
from services.vocabulary.operations import ClockKind, ClockStage


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A clock at an instant.

    Args:
        row: As it is stored.
        term: Of the record.
        left_s: Seconds to its end, negative when it is over; None: it is closed.
        stage: Of a clock that runs.
    """

    row: ClockRow
    term: str
    left_s: float | None
    stage: ClockStage


@dataclass(frozen=True, slots=True)
class ProposedClocks:
    """A record that may be serious, of which no person has said so or otherwise."""

    record: Episode
    kinds: tuple[ClockKind, ...]


def list_clocks(conn: Connection, instant: datetime) -> list[RunningClock]:
    """Return every clock as of *instant* (aware), the first due first."""
    rows = sae_clocks.load_clocks(conn)
    subjects = sorted({row.participant for row in rows})
    terms = {one.id: one.content.term for one in records.load_latest_episodes_of(conn, subjects)}
    return [
        RunningClock(
            row,
            terms.get(row.record, "a record that is no longer there"),
            None if row.closed_at else (row.due_at - instant).total_seconds(),
            find_stage(row.aware_at, row.due_at, instant),
        )
        for row in rows
    ]


def list_proposals(conn: Connection, episodes: Iterable[Episode]) -> list[ProposedClocks]:
    """Return those of *episodes* that propose clocks and about which no person has decided."""
    decided_records = {*sae_clocks.load_seriousness(conn)}
    return [
        ProposedClocks(episode, kinds)
        for episode in episodes
        if episode.id not in decided_records
        and not episode.retracted
        and episode.content.state is not EpisodeState.REJECTED
        and not episode.content.before_exposure
        and (kinds := propose_clocks(episode.content.serious))
    ]
