"""The entries of a site's tables in the text of ``sites.yaml``."""

from dataclasses import dataclass

import yaml
from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of a site: where its line begins, and the codes, meanings and places of its entries.

    Places are offsets in the text, the end outside.
    """

    start: int
    end: int
    entries: list[tuple[str, str, int, int]]
    is_flow: bool


def find_meaning(text: str, site: str, table: str, code: str) -> str | None:
    r"""Return the meaning of *code* in *table* of *site*; in ``ignored`` itself; None: no entry.

    >>> find_meaning("sites:\n- id: west\n  codes: {A: alt}\n", "west", "codes", "A")
    'alt'
    """
    found_table = _find_table(text, site, table)
    entries = found_table.entries if found_table else []
    return next((meaning for own, meaning, _, _ in entries if own == code), None)


def remove_entry(text: str, site: str, table: str, code: str) -> str:
    r"""Return *text* without *code* in *table* of *site*; a table that is empty then goes too.

    >>> remove_entry("sites:\n- id: west\n  codes: {A: alt, B: ast}\n", "west", "codes", "A")
    'sites:\n- id: west\n  codes: {B: ast}\n'
    """
    found_table = _find_table(text, site, table)
    entries = found_table.entries if found_table else []
    number = next((n for n, (own, *_) in enumerate(entries) if own == code), None)
    if found_table is None or number is None:
        return text
    _, _, start, end = entries[number]
    if len(entries) == 1:
        start, end = _cover_lines(text, found_table.start, max(end, found_table.end))
    elif not found_table.is_flow:
        start, end = _cover_lines(text, start, end)
    elif number:
        start = entries[number - 1][3]
    else:
        end = entries[1][2]
    return text[:start] + text[end:]


def _cover_lines(text: str, start: int, end: int) -> tuple[int, int]:
    next_line = text.find("\n", end) + 1
    return text.rfind("\n", 0, start) + 1, next_line or len(text)


def _find_table(text: str, site: str, table: str) -> _Table | None:
    sites = _find_value(yaml.compose(text, Loader=yaml.SafeLoader), "sites")
    for row in sites.value if isinstance(sites, SequenceNode) else []:
        site_id = _find_value(row, "id")
        if isinstance(site_id, ScalarNode) and site_id.value == site:
            return next(
                (_read_table(key, node) for key, node in row.value if key.value == table), None
            )
    return None


def _find_value(node: Node | None, name: str) -> Node | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def _read_table(key: Node, node: CollectionNode) -> _Table:
    is_mapping = isinstance(node, MappingNode)
    pairs = node.value if is_mapping else [(item, item) for item in node.value]
    entries = [
        (own.value, meaning.value, own.start_mark.index, meaning.end_mark.index)
        for own, meaning in pairs
    ]
    is_flow = bool(node.flow_style)
    end = node.end_mark.index if is_flow else key.end_mark.index
    return _Table(key.start_mark.index, end, entries, is_flow)
