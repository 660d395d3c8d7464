"""The identity of a protocol and the version of the rules by it: read, not checked.

It imports little: a command that only needs them starts at once.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from services.runtime.strict_yaml import read_content, read_yaml
from services.safety_rules.adapters.rules_version import PROTOCOL, find_table, rules_version


@dataclass(frozen=True, slots=True)
class ProtocolIdentity:
    """The hash of a protocol file, its own version, and the version of the rules by it."""

    sha256: str
    version: str
    rules_version: str


def read_identity(folder: Path) -> ProtocolIdentity:
    """Return the identity of the protocol of the study in *folder*.

    Raises:
        UntrustedFileError: The protocol is not there or no YAML, or it names no
            table of criteria.
    """
    path = folder / PROTOCOL
    content = read_content(path)
    document, digest = read_yaml(content, str(path)), sha256(content).hexdigest()
    version = rules_version(find_table(document), document)
    return ProtocolIdentity(digest, str(document.value.get("version", "")), version)
