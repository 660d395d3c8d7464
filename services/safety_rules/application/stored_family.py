"""Stored content of the families of one fold, read in one statement for each kind of row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.safety_rules.application.cache import Cache, CachedHistory
from services.store import journal, records
from services.store.session import Connection
from services.store.states import StateRow
from services.vocabulary.episode import Episode
from services.vocabulary.fact import JournalEntry
from services.vocabulary.standing import Standing

_FACTS_AT_ONCE: Final = 20_000  # of cold families, beside the one that has more by itself
_FAMILIES_AT_ONCE: Final = 256

Entries = Mapping[str, Sequence[JournalEntry]]  # of the journal by subject, in order


@dataclass(slots=True)
class StoredFamily:
    """What a family is folded from.

    Args:
        states: Of its members, in the order of pseudonyms.
        cached_history: Of the last step; None: *folded_entries*, *episodes* and *standings* say
            where it stands.
        new_entries: Of the members, not folded yet, in order.
        folded_entries: Of the members, folded already, in order.
        episodes: Their newest versions.
        standings: Their newest versions.
        fault: Class of the error when a row of theirs cannot be read; empty: they can.
    """

    states: tuple[StateRow, ...]
    cached_history: CachedHistory | None
    new_entries: list[JournalEntry] = field(default_factory=list)
    folded_entries: list[JournalEntry] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    standings: list[Standing] = field(default_factory=list)
    fault: str = ""


def load_stored_families(
    conn: Connection, cache: Cache, families: Iterable[tuple[StateRow, ...]], held_entries: Entries
) -> Iterator[StoredFamily]:
    """Yield *families* with what the store has of them, in their order.

    Args:
        conn: A transaction that sees one state of the database, that of *families*.
        cache: Of this worker: of a family that is in it, only new facts are read.
        families: States of the members of each.
        held_entries: Of the journal, read already; they suffice for a participant without companion
            when they have no gap. Of a family of several the journal is read: the facts of one
            member may come before those of another.
    """
    for batch in _split_into_batches(StoredFamily(one, cache.get(one)) for one in families):
        yield from _load_batch(conn, batch, held_entries)


def load_folded_family(conn: Connection, states: tuple[StateRow, ...]) -> StoredFamily:
    """Return the family of *states* with what is folded of it, and nothing that is new.

    Raises:
        ValueError: A row cannot be read.
    """
    family = StoredFamily(states, None)
    _load_histories(conn, [family])
    return family


def _load_batch(
    conn: Connection, batch: Sequence[StoredFamily], held_entries: Entries
) -> Sequence[StoredFamily]:
    """Return *batch*, loaded; when a row cannot be read, one by one, so that one stops no other."""
    loaded_families = [StoredFamily(one.states, one.cached_history) for one in batch]
    try:
        _load_new_entries(conn, loaded_families, held_entries)
        _load_histories(conn, [one for one in loaded_families if one.cached_history is None])
    except ValueError as error:
        if len(batch) > 1:
            return [alone for one in batch for alone in _load_batch(conn, [one], held_entries)]
        return [StoredFamily(batch[0].states, None, fault=type(error).__name__)]
    return loaded_families


def _split_into_batches(families: Iterable[StoredFamily]) -> Iterator[list[StoredFamily]]:
    batch: list[StoredFamily] = []
    facts = 0
    for family in families:
        facts_of_family = 0
        if family.cached_history is None:
            facts_of_family = sum(state.folded_through for state in family.states)
        if batch and (facts + facts_of_family > _FACTS_AT_ONCE or len(batch) == _FAMILIES_AT_ONCE):
            yield batch
            batch, facts = [], 0
        batch.append(family)
        facts += facts_of_family
    if batch:
        yield batch


def _load_new_entries(
    conn: Connection, families: Sequence[StoredFamily], held_entries: Entries
) -> None:
    readers: dict[str, StoredFamily] = {}
    for family in families:
        (first, *companions) = family.states
        if companions or not (entries := _find_gapless(first, held_entries)):
            readers.update((state.subject, family) for state in family.states)
        else:
            family.new_entries.extend(entries)
    for entry in journal.load_unfolded_facts(conn, list(readers)):
        readers[entry.fact.subject].new_entries.append(entry)


def _find_gapless(state: StateRow, held_entries: Entries) -> Sequence[JournalEntry]:
    """Return the held entries that *state* has not folded; none when one between is not held."""
    first_seq = state.folded_through + 1
    entries = [one for one in held_entries.get(state.subject, ()) if one.seq >= first_seq]
    seqs = [one.seq for one in entries]
    return entries if seqs == list(range(first_seq, first_seq + len(seqs))) else ()


def _load_histories(conn: Connection, families: Sequence[StoredFamily]) -> None:
    owners = {
        state.subject: family
        for family in families
        for state in family.states
        if state.version  # otherwise nothing of it was ever recorded
    }
    subjects = list(owners)
    for entry in journal.load_folded_facts(conn, subjects):
        owners[entry.fact.subject].folded_entries.append(entry)
    for episode in records.load_latest_episodes_of(conn, subjects):
        owners[episode.content.participant].episodes.append(episode)
    for row in records.load_standings(conn, subjects):
        owners[row.standing.participant].standings.append(row.standing)
