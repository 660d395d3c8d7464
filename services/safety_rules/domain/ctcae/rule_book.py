"""The rule book of a study: its protocol, its criteria and their version."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol as Interface

from services.safety_rules.domain.ctcae.compiled import CompiledCriteria
from services.vocabulary.drug import ClassifiedDrug
from services.vocabulary.measure import Measure
from services.vocabulary.protocol import Protocol
from services.vocabulary.protocol_event import EventPattern

# The published term that a syndrome's scale stands for in a set of terms.
TERM_OF_SCALE = {
    "astct-2019.crs": "cytokine-release-syndrome",
    "astct-2019.icans": "immune-effector-cell-associated-neurotoxicity-syndrome",
    "magic-2016.acute-gvhd": "acute-graft-versus-host-disease",
    "nih-2014.chronic-gvhd": "chronic-graft-versus-host-disease",
}
# As the cause of a death, what people write for the name of a scale or a term.
_OTHER_NAMES = {
    "agvhd": "acute-gvhd",
    "cgvhd": "chronic-gvhd",
    "acute-graft-vs-host-disease": "acute-gvhd",
    "chronic-graft-vs-host-disease": "chronic-gvhd",
    "gvhd": "graft-versus-host-disease",
    "graft-vs-host-disease": "graft-versus-host-disease",
}
CAUSES_WITHOUT_TERM = ("relapse", "infection")
_TABLE = re.compile(r"(?:ctcae-[0-9]\.[0-9]|astct-2019|magic-2016|nih-2014)", re.IGNORECASE)
_SOC_OF_SCALE = {
    "astct-2019.crs": "Immune system disorders",
    "astct-2019.icans": "Nervous system disorders",
}
# Endpoints of their own: no set of adverse events has them, unless it names them.
_IN_NO_CLASS = frozenset({"magic-2016.acute-gvhd", "nih-2014.chronic-gvhd"})
_TITLE_OF_SCALE = {
    "astct-2019.crs": "Cytokine release syndrome (ASTCT)",
    "astct-2019.icans": "Immune effector cell-associated neurotoxicity syndrome (ASTCT)",
    "magic-2016.acute-gvhd": "Acute graft-versus-host disease (MAGIC)",
    "nih-2014.chronic-gvhd": "Chronic graft-versus-host disease (NIH)",
}


class Term(Interface):
    """A published term."""

    @property
    def term(self) -> str:
        """As published."""

    @property
    def soc(self) -> str:
        """System organ class, as published."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A protocol with its criteria; *version* names both and the code that grades.

    *terms* has every published term by slug, also those that only a clinician can grade;
    *measures* every measure by name, *drugs* every drug that decides between grades.
    """

    protocol: Protocol
    compiled_criteria: CompiledCriteria
    terms: Mapping[str, Term]
    version: str
    measures: Mapping[str, Measure]
    drugs: Mapping[str, ClassifiedDrug]

    def find_title(self, criterion: str) -> str:
        """Return the term of *criterion* as published, or the name of its scale."""
        if criterion in _TITLE_OF_SCALE:
            return _TITLE_OF_SCALE[criterion]
        return self.terms[self._find_slug(criterion)].term

    def has_term(self, criterion: str) -> bool:
        """Return True when *criterion* is a term of the study's table."""
        prefix = f"{self.protocol.criteria}."
        return criterion.startswith(prefix) and criterion.removeprefix(prefix) in self.terms

    def list_criteria(self) -> frozenset[str]:
        """Return the ids of all terms of the study's table."""
        return frozenset(f"{self.protocol.criteria}.{slug}" for slug in self.terms)

    def find_cause_of_death(self, cause: str) -> str:
        """Return the criterion that *cause* names; empty: none of the study's.

        It may be written as an id of any version, a bare name, or the published term. A syndrome is
        named by its scale, whose record it has.
        """
        name = cause.lower().replace("vs.", "vs").rpartition(".")[2]
        slug = "-".join(name.split())
        slug = _OTHER_NAMES.get(slug, slug)
        for scale, term in TERM_OF_SCALE.items():
            if slug in (term, scale.rpartition(".")[2]):
                return scale
        return f"{self.protocol.criteria}.{slug}" if slug in self.terms else ""

    def knows_cause_of_death(self, cause: str) -> bool:
        """Return True when *cause* names a criterion of any version, or a cause without one."""
        table, _, _ = cause.rpartition(".")
        is_table = not table or _TABLE.fullmatch(table) is not None
        has_term = is_table and bool(self.find_cause_of_death(cause))
        return has_term or cause in CAUSES_WITHOUT_TERM

    def matches_pattern(self, criterion: str, pattern: EventPattern) -> bool:
        """Return True when *criterion* is the pattern's term, or in its set of terms."""
        slug = self._find_slug(criterion)
        if pattern.term:
            return slug == pattern.term
        term_set = self.protocol.term_sets[pattern.term_set]
        if term_set.only:
            return slug in term_set.only
        if criterion in _IN_NO_CLASS:
            return False
        soc = _SOC_OF_SCALE.get(criterion) or self.terms[slug].soc
        return soc not in term_set.without_socs and slug not in term_set.without_terms

    def is_laboratory(self, criterion: str) -> bool:
        """Return True when *criterion* is graded from laboratory results."""
        compiled_criterion = self.compiled_criteria.by_id.get(criterion)
        return compiled_criterion is not None and compiled_criterion.is_laboratory

    def _find_slug(self, criterion: str) -> str:
        return TERM_OF_SCALE.get(criterion) or criterion.removeprefix(f"{self.protocol.criteria}.")
