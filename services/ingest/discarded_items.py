"""Parked items that a person has discarded: a retry makes no fact of them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from services.ingest.domain.message_content import MessageContent, ParkedItem
from services.ingest.facts import FactsContent
from services.ingest.ids import fact_id
from services.store.journal import RawMessage
from services.store.parking import ParkedRow

_FORMER_PATH = re.compile(r"PID\.3\[([0-9]+)\]")


def item_key(parked: ParkedRow | ParkedItem) -> tuple[str, str]:
    """Return the key of an item within its message: path and reason."""
    return parked.path, str(parked.reason)


def drop_discarded(
    content: MessageContent | FactsContent, discarded_keys: Collection[tuple[str, str]]
) -> MessageContent | FactsContent:
    """Return *content* without the parts that the discarded items cover.

    An unreadable item covers only itself. Any other item covers its whole segment: ``OBX[3].5``
    covers ``OBX[3]``, ``PID[2].3`` everything about the second patient, ``line 4`` that line.

    Args:
        content: Of the message as it is read now.
        discarded_keys: The discarded items, by `item_key`.
    """
    unreadable = {item_key(item) for item in content.parked}
    discarded_places = {
        path.partition(".")[0]
        for path, reason in discarded_keys
        if (path, reason) not in unreadable
    }

    def stays(path: str) -> bool:
        return discarded_places.isdisjoint((path, re.split(r"[./]", path)[0]))

    parked = tuple(i for i in content.parked if item_key(i) not in discarded_keys and stays(i.path))
    if isinstance(content, FactsContent):
        discarded_ids = {line.sender_id for line in content.facts if not stays(line.place)}
        lines = tuple(line for line in content.facts if line.sender_id not in discarded_ids)
        return replace(content, facts=lines, parked=parked)
    return replace(
        content,
        drafts=tuple(
            d
            for d in content.drafts
            if stays(d.path) and stays(content.find_segment(d.patient_ids))
        ),
        merges=tuple(merge for merge in content.merges if stays(merge.path)),
        moves=tuple(move for move in content.moves if stays(move.path)),
        parked=parked,
    )


def renumber_paths(
    rows: Sequence[ParkedRow],
    message: RawMessage,
    content: MessageContent | FactsContent,
    fact_ids: Collection[str],
) -> list[ParkedRow]:
    """Return *rows* with the paths that this version writes.

    Older versions wrote ``PID.3[n]`` for the n-th patient without any fact. The patient is clear
    when as many patients are without a fact as there are such rows. Otherwise a row keeps its
    path: its items are parked a second time rather than lost.

    Args:
        rows: All rows that were ever parked of *message*.
        message: The stored message.
        content: Its content as it is read now.
        fact_ids: Ids of the facts that it has led to.
    """
    if isinstance(content, FactsContent):
        return list(rows)
    unresolved_places = {
        row.id: int(match[1])
        for row in rows
        if row.resolution != "retried" and (match := _FORMER_PATH.fullmatch(row.path))
    }
    patients_with_facts = {
        d.patient_ids for d in content.drafts if fact_id(message, d.path) in fact_ids
    }
    patients_without = dict.fromkeys(
        d.patient_ids for d in content.drafts if d.patient_ids not in patients_with_facts
    )
    paths = [f"{content.find_segment(who)}.3" for who in patients_without]
    paths = [path for path in paths if path not in {row.path for row in rows}]
    if len(paths) != len(unresolved_places):
        return list(rows)
    new_paths = dict(
        zip(sorted(unresolved_places, key=unresolved_places.__getitem__), paths, strict=True)
    )
    return [replace(row, path=new_paths.get(row.id, row.path)) for row in rows]
