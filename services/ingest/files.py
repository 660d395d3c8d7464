"""Messages in files: HL7 v2 in any wrapping, or facts one to a line."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from services.ingest.application import Submission
from services.ingest.domain.hl7.batches import find_faults, split_messages

_FACT_SUFFIXES = frozenset({".ndjson", ".jsonl"})


def list_files(path: Path) -> list[Path]:
    """Return the file itself, or every file below a folder, in the order of their names."""
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def read_submissions(content: bytes, actor: str, name: str = "") -> Iterator[Submission]:
    """Yield what a file holds, message by message; each line of facts is one.

    Args:
        content: Of the whole file.
        actor: Who enters it.
        name: Of the file; one in ``.ndjson`` holds facts whatever it looks like.
    """
    content = content.removeprefix(codecs.BOM_UTF8)
    file = f"{name}, " if name else ""
    if _holds_facts(content, name):
        for number, line in enumerate(content.split(b"\n"), 1):
            if line.strip():
                yield Submission(
                    line.rstrip(b"\r"), "file", "", actor, "facts", f"{file}line {number}"
                )
        return
    for number, message in enumerate(split_messages(content), 1):
        yield Submission(message, "file", "", actor, "hl7v2", f"{file}message {number}")


def find_file_faults(content: bytes, name: str = "") -> list[str]:
    """Return where a file is not as long as it says, and what of it is in no message."""
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        return ["is empty"]
    return [] if _holds_facts(content, name) else find_faults(content)


def _holds_facts(content: bytes, name: str) -> bool:
    return Path(name).suffix.lower() in _FACT_SUFFIXES or content.lstrip()[:1] == b"{"
