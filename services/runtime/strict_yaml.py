"""Plain values from YAML, refused wherever two readers of YAML may understand a file differently.

A file holds text, whole numbers, decimal numbers, true, false, null, lists (tuples) and
mappings. Keys are text as it is written: ``3`` is the key ``"3"``, and a site's code ``NO`` stays
``NO``. Refused are keys given twice, aliases and anchors, merges (``<<``), tags, a second document,
values left empty, and plain words that one version of YAML takes for something else: ``yes``,
``off``, ``010``, ``0x1F``, ``1_000``, ``12:30``, ``1e3``, ``.inf``. A date is text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from services.runtime.file_error import FileFault, UntrustedFileError
from services.vocabulary.printable_text import quote_text

Place = tuple[str | int, ...]  # keys and indices that lead to a value
_Event: TypeAlias = Any  # one of yaml's, which its stubs do not type

# The same reader, several times as fast where the library was built with it.
_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_MAX_DEPTH = 40
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~"), None),
}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]+(?:[eE][+-][0-9]{1,3})?")
# All that YAML 1.1 or 1.2 reads as a number, a truth value or a merge.
_AMBIGUOUS = re.compile(
    r"""[-+]?(?: 0[box][0-9a-fA-F_]+
               | [0-9][0-9_]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?
               | \.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?
               | \.(?:inf|Inf|INF))
      | \.(?:nan|NaN|NAN) | yes|Yes|YES | no|No|NO | on|On|ON | off|Off|OFF | = | <<""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a YAML file, and the line (from 1) where each begins, by its place."""

    file: str
    value: Any
    lines: Mapping[Place, int]

    def name_place(self, place: Place) -> str:
        """Return the path to *place*: an item by its id, or by its number, from 1.

        >>> document = read_yaml("rules: [{id: TRIAL.S1, looks: [5, 10]}]", "a.yaml")
        >>> document.name_place(("rules", 0, "looks", 1))
        'rules.TRIAL.S1.looks.2'
        """
        return ".".join(_name_steps(place, self.value))

    def fault_at(self, place: Place, problem: str) -> FileFault:
        """Return the fault of the value at *place*, or of a value that is missing there."""
        known_place = place
        while known_place not in self.lines:
            known_place = known_place[:-1]
        return FileFault(self.file, self.lines[known_place], self.name_place(place), problem)

    def refusal(self, problems: Iterable[tuple[str, str]]) -> UntrustedFileError:
        """Return the error of *problems*, in the order of their lines.

        Args:
            problems: The path to a field, as `name_place` has it, and what is wrong with it.

        >>> print(read_yaml("rules: [{id: S1}]", "a.yaml").refusal([("rules.S1.n", "is missing")]))
        a.yaml line 1, rules.S1.n: is missing
        """
        lines = {self.name_place(place): line for place, line in self.lines.items()}
        faults = [
            FileFault(self.file, _find_line(lines, field), field, problem)
            for field, problem in problems
        ]
        return UntrustedFileError(sorted(faults, key=lambda fault: fault.line))


def read_yaml_file(path: Path) -> Document:
    """Return the values of the file at *path*.

    Raises:
        UntrustedFileError: It cannot be read, or as for `read_yaml`.
    """
    return read_yaml(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """Return the bytes of the file at *path*.

    Raises:
        UntrustedFileError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise UntrustedFileError([FileFault(str(path), 0, "", problem)]) from error


def read_yaml(content: str | bytes, file: str) -> Document:
    """Return the values of *content*, of the file that a person knows as *file*.

    >>> read_yaml("sites: [{id: north, timezone: Europe/Oslo, beds: 12}]", "sites.yaml").value
    {'sites': ({'id': 'north', 'timezone': 'Europe/Oslo', 'beds': 12},)}
    >>> read_yaml("country: NO", "sites.yaml")
    Traceback (most recent call last):
        ...
    services...UntrustedFileError: sites.yaml line 1, country: NO is ambiguous: put it in quotes ...

    Raises:
        UntrustedFileError: It is not UTF-8, not YAML, or holds what this module refuses; with all
            its faults, up to where it stops being YAML.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UntrustedFileError([FileFault(file, 0, "", "is not UTF-8")]) from error
    reader = _Reader(text)
    try:
        value = reader.read()
    except yaml.YAMLError as error:
        raise UntrustedFileError([_explain_syntax(file, text, error)]) from error
    document = Document(file, value, reader.lines)
    if reader.faults:
        raise UntrustedFileError(
            FileFault(file, line, document.name_place(place), problem)
            for line, place, problem in reader.faults
        )
    return document


class _Reader:
    """Reads one document from the events of its text; faults do not stop it."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {(): 1}
        self.faults: list[tuple[int, Place, str]] = []
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)

    def read(self) -> object:
        next(self._events)  # the stream begins
        if isinstance(next(self._events), yaml.StreamEndEvent):
            self.faults.append((0, (), "is empty"))
            return None
        value = self._read_node(next(self._events), ())
        next(self._events)  # the document ends
        last_event = next(self._events)
        if not isinstance(last_event, yaml.StreamEndEvent):
            self._refuse(last_event, (), "a second document begins here (---): remove it")
        return value

    def _read_node(self, event: _Event, place: Place) -> object:
        if isinstance(event, yaml.AliasEvent):
            name = quote_text(str(event.anchor))
            self._refuse(event, place, f"*{name} is an alias: write the value out")
            return None
        if event.anchor is not None:
            self._refuse(event, place, f"&{quote_text(event.anchor)} is an anchor: remove it")
        if event.tag is not None:
            self._refuse(event, place, f"{quote_text(event.tag)} is a tag: remove it")
        if isinstance(event, yaml.ScalarEvent):
            return event.value if event.style else self._read_plain(event, place)
        if len(place) == _MAX_DEPTH:
            self._skip_collection()
            self._refuse(event, place, f"lies deeper than {_MAX_DEPTH} levels: remove it")
            return None
        if isinstance(event, yaml.SequenceStartEvent):
            return tuple(self._read_items(place))
        return self._read_mapping(place)

    def _read_items(self, place: Place) -> Iterator[object]:
        for index, event in enumerate(self._events):
            if isinstance(event, yaml.SequenceEndEvent):
                return
            item = (*place, index)
            self.lines[item] = event.start_mark.line + 1
            yield self._read_node(event, item)

    def _read_mapping(self, place: Place) -> dict[str, object]:
        values: dict[str, object] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._read_key(event, place)
            if key in values:
                self._refuse(event, (*place, key), "is given twice: remove one")
            self.lines[*place, key] = event.start_mark.line + 1
            values[key] = self._read_node(next(self._events), (*place, key))
        return values

    def _read_key(self, event: _Event, place: Place) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None or event.tag is not None:
                key = quote_text(event.value)
                self._refuse(event, place, f"{key}: remove the anchor or tag of this key")
            if not event.style and event.value in ("", "<<"):
                self._refuse(event, place, f"{event.value!r} is no key: write the keys out")
            return str(event.value)
        if not isinstance(event, yaml.AliasEvent):
            self._skip_collection()
        self._refuse(event, place, "a key is text, not a list, a mapping or an alias")
        return ""

    def _read_plain(self, event: _Event, place: Place) -> object:
        text: str = event.value
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and isfinite(number := float(text)):
            return number
        if not text:
            self._refuse(event, place, 'has no value: write one, or [], {} or ""')
        elif _AMBIGUOUS.fullmatch(text):
            remedy = "put it in quotes if it is text, or write true, false or a plain number"
            self._refuse(event, place, f"{quote_text(text)} is ambiguous: {remedy}")
        return text

    def _skip_collection(self) -> None:
        depth = 1
        while depth:
            event = next(self._events)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)

    def _refuse(self, event: _Event, place: Place, problem: str) -> None:
        self.faults.append((event.start_mark.line + 1, place, problem))


def _explain_syntax(file: str, text: str, error: yaml.YAMLError) -> FileFault:
    mark = getattr(error, "problem_mark", None)
    position = getattr(error, "position", None)
    if mark is not None:
        line = mark.line + 1
    else:
        line = 0 if position is None else text.count("\n", 0, position) + 1
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is not None and _is_tab(text, mark.line, mark.column):
        reason = "a tab stands where only blanks may: indent with blanks"
    return FileFault(file, line, "", f"is not YAML: {reason}")


def _is_tab(text: str, line: int, column: int) -> bool:
    """Return True when a tab stands there; the place may lie behind the last line of *text*."""
    lines = text.split("\n")
    return line < len(lines) and lines[line].startswith("\t", column)


def _name_steps(place: Place, value: object) -> Iterator[str]:
    for step in place:
        value = _step_into(value, step)
        if isinstance(step, str):
            yield step
            continue
        name = value.get("id") if isinstance(value, dict) else None
        yield name if isinstance(name, str) else str(step + 1)


def _step_into(value: object, step: str | int) -> object:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, tuple) and isinstance(step, int) else None


def _find_line(lines: Mapping[str, int], field: str) -> int:
    """Return the line of *field*, or of the innermost that it lies in."""
    while field and field not in lines:
        field = field.rpartition(".")[0]
    return lines[field]
