"""What a person has set aside of a message: no retry makes a fact of it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from services.ingest.domain.message_content import MessageContent, ParkedItem
from services.ingest.facts import FactsContent
from services.ingest.ids import fact_id
from services.store.journal import RawMessage
from services.store.parking import ParkedRow

_OF_AN_OLDER_VERSION = re.compile(r"PID\.3\[(\d+)\]")


def key(parked: ParkedRow | ParkedItem) -> tuple[str, str]:
    """Return what tells an item from the others of its message: path and reason."""
    return parked.path, str(parked.reason)


def without(
    reading: MessageContent | FactsContent, discarded: Collection[tuple[str, str]]
) -> MessageContent | FactsContent:
    """Return *reading* without what the *discarded* items, by `key`, are about.

    What still cannot be read is about itself. Any other item is about all that stands there now:
    ``OBX[3].5`` about ``OBX[3]``, ``PID[2].3`` about whatever is said of the second patient,
    ``line 4`` about that line.
    """
    said = {key(item) for item in reading.parked}
    aside = {path.partition(".")[0] for path, reason in discarded if (path, reason) not in said}

    def stays(path: str) -> bool:
        return aside.isdisjoint((path, re.split(r"[./]", path)[0]))

    parked = tuple(i for i in reading.parked if key(i) not in discarded and stays(i.path))
    if isinstance(reading, FactsContent):
        own = {line.own for line in reading.facts if not stays(line.place)}
        lines = tuple(line for line in reading.facts if line.own not in own)
        return replace(reading, facts=lines, parked=parked)
    return replace(
        reading,
        drafts=tuple(d for d in reading.drafts if stays(d.path) and stays(reading.place_of(d.who))),
        merges=tuple(merge for merge in reading.merges if stays(merge.path)),
        moves=tuple(move for move in reading.moves if stays(move.path)),
        parked=parked,
    )


def renumbered(
    rows: Sequence[ParkedRow],
    message: RawMessage,
    reading: MessageContent | FactsContent,
    known: Collection[str],
) -> list[ParkedRow]:
    """Return *rows* with the path that each has now.

    Older versions wrote ``PID.3[n]`` for the n-th patient of whom nothing could become a fact. It
    is clear who that is where as many still wait as there are such rows. Where it is not, a row
    keeps its path: what it was about waits a second time rather than not at all.

    Args:
        rows: All that was ever parked of *message*.
        message: As it is stored.
        reading: What it says now.
        known: Ids of the facts that came of it.
    """
    if isinstance(reading, FactsContent):
        return list(rows)
    waited = {
        row.id: int(found[1])
        for row in rows
        if row.resolution != "retried" and (found := _OF_AN_OLDER_VERSION.fullmatch(row.path))
    }
    heard = {d.who for d in reading.drafts if fact_id(message, d.path) in known}
    silent = dict.fromkeys(d.who for d in reading.drafts if d.who not in heard)
    paths = [f"{reading.place_of(who)}.3" for who in silent]
    paths = [path for path in paths if path not in {row.path for row in rows}]
    if len(paths) != len(waited):
        return list(rows)
    now = dict(zip(sorted(waited, key=waited.__getitem__), paths, strict=True))
    return [replace(row, path=now.get(row.id, row.path)) for row in rows]
