"""Adverse-event records as lines: a table for people, canonical JSON for comparison."""

from collections.abc import Sequence

from services.cli.shared.columns import RECORDS
from services.cli.shared.tables import format_day, format_utc, make_explained_table
from services.runtime.canonical_json import write_canonical
from services.vocabulary.episode import Episode


def write_canonical_lines(episodes: Sequence[Episode]) -> list[str]:
    """Return the current content of *episodes*: the same facts always give the same lines."""
    return sorted(write_canonical(one.content) for one in episodes if not one.retracted)


def make_records_table(episodes: Sequence[Episode]) -> str:
    """Return one line for each record."""
    rows = [
        (
            e.content.participant,
            e.content.term,
            e.content.worst,
            e.content.current if e.content.resolved_at is None else "-",
            format_day(e.content.transplant_day),
            format_day(e.content.treatment_day),
            format_utc(e.content.onset_at),
            format_utc(e.content.resolved_at),
            _says(e),
            e.id[:8],
        )
        for e in sort_as_table(episodes)
    ]
    return make_explained_table(RECORDS, rows)


def sort_as_table(episodes: Sequence[Episode]) -> list[Episode]:
    """Return *episodes* by participant and onset."""
    return sorted(episodes, key=lambda e: (e.content.participant, e.content.onset_at, e.id))


def _says(episode: Episode) -> str:
    content = episode.content
    words = [str(content.state)]
    words += ["possible"] if content.possible else []
    words += ["provisional"] if content.provisional else []
    words += ["before exposure"] if content.before_exposure else []
    words += ["outside inducer window"] if content.outside_inducer_window else []
    return ", ".join(words)
