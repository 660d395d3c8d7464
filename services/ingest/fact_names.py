"""The names that a study knows: a fact with another one would never be graded."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from services.ingest.closed_texts import ClosedTexts
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.domain.quoted_text import quote_in
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Body
from services.vocabulary.judgement import Assessment, Finding


@dataclass(frozen=True, slots=True)
class FactNames:
    """The names of measures and terms, as facts write them.

    Args:
        measures: Every measure, e.g. ``neutrophils``.
        criteria: Every term of the study's table, e.g. ``ctcae-5.0.tremor``.
        texts: The words that sites may use; None: any.
    """

    measures: frozenset[str]
    criteria: frozenset[str]
    texts: ClosedTexts | None = None

    def find_unknown_name(self, body: Body, path: str) -> ParkedItem | None:
        """Return the item of a fact whose measure or term nobody knows; None: it is known."""
        match body:
            case Observation(measure=name) if name not in self.measures:
                texts = _describe_unknown("no measure is called", name, self.measures)
                return ParkedItem(path, ParkReason.UNKNOWN_MEASURE, *texts)
            case Assessment(criterion=name) | Finding(criterion=name) if name not in self.criteria:
                texts = _describe_unknown("no term of the study is called", name, self.criteria)
                return ParkedItem(path, ParkReason.UNKNOWN_CRITERION, *texts)
        return None


@lru_cache(maxsize=256)
def _describe_unknown(problem: str, name: str, known_names: frozenset[str]) -> tuple[str, str]:
    """Return *problem* with *name* quoted and the known one it may stand for; and masked."""
    close_names = get_close_matches(name, sorted(known_names), n=1)
    suggestion = f"; did you mean {close_names[0]!r}?" if close_names else ""
    return quote_in(f"{problem} '{{}}'{suggestion}", name)
