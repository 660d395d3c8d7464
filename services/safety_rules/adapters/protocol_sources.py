"""Where a protocol's numbers come from, in the words of its file; no rule acts on them."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.runtime.file_models import read_model
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.adapters.protocol_rows import ProtocolFile


@dataclass(frozen=True, slots=True)
class Sources:
    """Of one rule: the basis of its acceptable rate, and of its onset curve."""

    p0: str
    curve: str


@dataclass(frozen=True, slots=True)
class Said:
    """The sources of each rule by its id, and the paths outside the rules that are assumed."""

    rules: Mapping[str, Sources]
    assumed: tuple[str, ...]


def said(study: Study) -> Said:
    """Return what the file of *study* says about its own numbers."""
    file = read_model(study.document, ProtocolFile)
    return Said(
        {rule.id: Sources(rule.stop_when.source, rule.pending.source) for rule in file.rules},
        file.assumed,
    )
