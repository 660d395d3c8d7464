"""The trail of acts, as people and programs read it."""

import csv
import io
from collections.abc import Mapping, Sequence

from services.runtime.canonical_json import write_canonical
from services.store.audit_anchor import Anchor
from services.vocabulary.act import Act
from services.vocabulary.printable_text import escape_json, escape_unprintable

COLUMNS = (
    "at",
    "person",
    "name",
    "role",
    "act",
    "about",
    "participant",
    "old",
    "new",
    "reason",
    "meaning",
    "signed",
    "signed_by",
    "seen",
    "id",
)
_FORMULA_SIGNS = ("=", "+", "-", "@")


def list_entries(act: Act) -> dict[str, object]:
    """Return the line of the trail about one act, by the names of `COLUMNS`."""
    actor = act.actor
    values = (
        act.acted_at,
        actor.id,
        actor.name,
        str(actor.role or ""),
        str(act.kind),
        act.target,
        act.participant,
        act.old_value,
        act.new_value,
        act.reason,
        str(act.meaning),
        act.is_signed,
        str(actor.signed_by),
        act.seen_hash,
        act.id,
    )
    return dict(zip(COLUMNS, values, strict=True))


def write_json_lines(acts: Sequence[Act], head: Anchor | None) -> str:
    """Return a line for each of *acts*; each names *head*, the seal that covered the trail then."""
    return "".join(f"{escape_json(write_canonical(row))}\n" for row in _list_rows(acts, head))


def write_csv(acts: Sequence[Act], head: Anchor | None) -> str:
    r"""Return a heading and a row for each of *acts*; each names *head*, as in the JSON lines.

    What a spreadsheet would compute begins with an apostrophe.

    >>> write_csv([], None).split(",")[:2]
    ['at', 'person']
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [*COLUMNS, "chain_head"])
    writer.writeheader()
    for row in _list_rows(acts, head):
        writer.writerow({name: _write_cell(value) for name, value in row.items()})
    return text.getvalue()


def _list_rows(acts: Sequence[Act], head: Anchor | None) -> list[Mapping[str, object]]:
    chain_head = str(head) if head else ""
    return [list_entries(act) | {"chain_head": chain_head} for act in acts]


def _write_cell(value: object) -> str:
    text = value if isinstance(value, str) else write_canonical(value).strip('"')
    return escape_unprintable(f"'{text}" if text.startswith(_FORMULA_SIGNS) else text)
