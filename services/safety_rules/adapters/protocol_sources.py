"""The sources of a protocol's numbers, in the words of its file; no rule acts on them."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.runtime.file_models import read_model
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.adapters.protocol_rows import ProtocolFile


@dataclass(frozen=True, slots=True)
class RuleSources:
    """Of one rule: the basis of its acceptable rate, and of its onset curve."""

    p0: str
    curve: str


@dataclass(frozen=True, slots=True)
class ProtocolSources:
    """The sources of each rule by its id, and the paths outside the rules that are assumed."""

    rules: Mapping[str, RuleSources]
    assumed: tuple[str, ...]


def read_sources(study: Study) -> ProtocolSources:
    """Return the sources that the file of *study* gives for its numbers."""
    file = read_model(study.document, ProtocolFile)
    return ProtocolSources(
        {rule.id: RuleSources(rule.stop_when.source, rule.pending.source) for rule in file.rules},
        file.assumed,
    )
