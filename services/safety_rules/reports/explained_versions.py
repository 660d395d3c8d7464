"""The facts by which a version of a record came about."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from services.safety_rules.domain.episodes.version_cause import OTHER_RULES
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.episode import Episode
from services.vocabulary.fact import Fact, JournalEntry


def list_received_facts(
    version: Episode, evidence: AbstractSet[str], entries: Sequence[JournalEntry]
) -> Iterator[str]:
    """Yield the ids of the facts of the message that made *version*, as far as it is about them.

    None for a version that other rules made of the same facts.

    Args:
        version: Of a record.
        evidence: Ids of all facts that some version of the record rests on.
        entries: The journal of the participant and of those who are merged.
    """
    if OTHER_RULES in version.cause:
        return
    messages = {
        entry.message
        for entry in entries
        if (entry.seq, entry.received_at) == (version.seq, version.recorded_at)
    }
    measures = {_find_measure(entry.fact) for entry in entries if entry.fact.id in evidence}
    for entry in entries:
        fact = entry.fact
        is_of_version = entry.message in messages and entry.received_at == version.recorded_at
        if is_of_version and (fact.id in evidence or _find_measure(fact) in {*measures, ""}):
            yield fact.id


def _find_measure(fact: Fact) -> str:
    """Return the measure of a result; empty for a fact of another kind."""
    return fact.body.measure if isinstance(fact.body, Observation) else ""
