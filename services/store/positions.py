"""Positions of the journal and of the rules with each participant, cheap to read at every look."""

from sqlalchemy import ColumnElement, Connection, Table, Text, cast, func, select

from services.store.tables import participant, participant_state


def list_positions(conn: Connection, study: str) -> frozenset[str]:
    """Return a line for each participant of *study* with facts, and for each state.

    What was stored or folded since another call is in other lines; see `find_moved_subjects`. One
    text is read, and no row for each: of thousands, few have moved.
    """
    facts = _join_lines("facts ", participant.c.last_seq, participant)
    steps = _join_lines("steps ", participant_state.c.version, participant_state)
    of_study = select(facts).where(participant.c.study == study)
    texts = (conn.scalar(of_study), conn.scalar(select(steps)))
    return frozenset(line for text in texts if text for line in text.split("\n"))


def find_moved_subjects(before: frozenset[str], now: frozenset[str]) -> set[str]:
    """Return the pseudonyms of those in *now* whose facts or steps are not those *before*.

    >>> sorted(find_moved_subjects(frozenset({"facts 1 P-1"}), frozenset({"facts 2 P-1"})))
    ['P-1']
    """
    return {line.split(" ", 2)[2] for line in now - before}


def _join_lines(prefix: str, number: ColumnElement[int], table: Table) -> ColumnElement[str]:
    line = prefix + cast(number, Text) + " " + table.c.subject
    return func.aggregate_strings(line, "\n")
