"""Files of messages: HL7 v2 in any wrapping, or facts one to a line."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from services.ingest.domain.hl7.batches import find_faults, split_messages
from services.ingest.intake import Submission

_FACT_SUFFIXES = frozenset({".ndjson", ".jsonl"})


def list_files(path: Path) -> list[Path]:
    """Return the file *path*, or every file below the folder *path*, in order of their names."""
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def read_submissions(content: bytes, actor: str, name: str = "") -> Iterator[Submission]:
    """Yield the messages of a file; each line of facts is one.

    Args:
        content: The whole file.
        actor: The person who enters it.
        name: Name of the file; one in ``.ndjson`` holds facts whatever its content looks like.
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
    """Return the faults of a file: counts that do not fit, and parts that are in no message."""
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        return ["is empty"]
    return [] if _holds_facts(content, name) else find_faults(content)


def _holds_facts(content: bytes, name: str) -> bool:
    return Path(name).suffix.lower() in _FACT_SUFFIXES or content.lstrip()[:1] == b"{"
