"""Messages in files: HL7 v2 in any wrapping, or facts one to a line."""

from collections.abc import Iterator
from pathlib import Path

from services.ingest.application import Incoming, is_facts
from services.ingest.domain.hl7.batches import batch_faults, messages


def files_in(path: Path) -> list[Path]:
    """Return the file itself, or every file below a folder, in the order of their names."""
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def messages_in(content: bytes, actor: str) -> Iterator[Incoming]:
    """Yield what a file holds, message by message; each line of facts is one.

    Args:
        content: Of the whole file.
        actor: Who enters it.
    """
    if is_facts(content):
        lines = (line for line in content.splitlines() if line.strip())
        yield from (Incoming(line, "file", actor=actor) for line in lines)
    else:
        yield from (Incoming(message, "file", actor=actor) for message in messages(content))


def faults_in(content: bytes) -> list[str]:
    """Return where a batch is not as long as it says."""
    return [] if is_facts(content) else batch_faults(content)
