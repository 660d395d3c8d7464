"""What a person has set aside of a message: no retry makes a fact of it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from services.ingest.domain.message_content import MessageContent, ParkedItem
from services.ingest.facts import FactsContent
from services.ingest.ids import fact_id
from services.store.journal import RawMessage
from services.store.parking import ParkedRow

_FORMER_PATH = re.compile(r"PID\.3\[(\d+)\]")


def item_key(parked: ParkedRow | ParkedItem) -> tuple[str, str]:
    """Return what tells an item from the others of its message: path and reason."""
    return parked.path, str(parked.reason)


def drop_discarded(
    content: MessageContent | FactsContent, discarded_keys: Collection[tuple[str, str]]
) -> MessageContent | FactsContent:
    """Return *content* without what the *discarded_keys* items, by `key`, are about.

    What still cannot be read is about itself. Any other item is about all that stands there now:
    ``OBX[3].5`` about ``OBX[3]``, ``PID[2].3`` about whatever is said of the second patient,
    ``line 4`` about that line.
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
    """Return *rows* with the path that each has now.

    Older versions wrote ``PID.3[n]`` for the n-th patient of whom nothing could become a fact. It
    is clear who that is where as many still wait as there are such rows. Where it is not, a row
    keeps its path: what it was about waits a second time rather than not at all.

    Args:
        rows: All that was ever parked of *message*.
        message: As it is stored.
        content: What it says now.
        fact_ids: Ids of the facts that came of it.
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
