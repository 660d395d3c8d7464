r"""The drug that a coded field (RXA-5) names: by one of its codes, else by one of its texts.

Source: HL7 v2.5.1, 2.A.13 (CE); RxNorm, normalized names (US National Library of Medicine)
"""

import re
from collections.abc import Iterator, Sequence

from services.ingest.domain.hl7.context import Context

_TRIPLES = (0, 3, 9)  # code, text and system: the first, the alternate, another (CWE since v2.7)
_LAST = 12
_RXNORM = frozenset({"RXNORM", "RXN", "2.16.840.1.113883.6.88", "URN:OID:2.16.840.1.113883.6.88"})
# One ingredient with strength and form, e.g. "100 ML milrinone 0.2 MG/ML Injection". Drops, sprays
# and ointments are no systemic dose, and auto-injectors no infusion: they wait for a person.
_RXNORM_NAME = re.compile(
    r"(?:[\d.]+ (?:ML|HR) )?([a-z][a-z -]*?)(?: \(USP\))? [\d.]+ [A-Z%]+(?:/[A-Z]+)?"
    r" (?:Inject|Oral |Prefilled Syringe)",
    re.ASCII,
)


def find_drug(context: Context, components: Sequence[str]) -> str | None:
    """Return the drug of a coded field; None when neither a code nor a text of it is known.

    A bare number is a code of RxNorm only where the field says so: 161 of another system is not
    acetaminophen. The site's own mapping is asked first.
    """
    parts = [part.strip() for part in (*components, *[""] * _LAST)]
    triples = [parts[at : at + 3] for at in _TRIPLES]
    for code, _, system in triples:
        drug = context.site.drugs.get(code)
        if drug is None and (not code.isdecimal() or system.upper() in _RXNORM):
            drug = context.tables.drugs.get(code.casefold())
        if drug:
            return drug
    for _, text, _ in triples:
        for spelling in _spell_names(text):
            drug = context.site.drugs.get(spelling) or context.tables.drugs.get(spelling.casefold())
            if drug and not spelling.isdecimal():
                return drug
    return None


def _spell_names(text: str) -> Iterator[str]:
    """Yield *text*, and the ingredient when it is a normalized name of RxNorm."""
    yield text
    if match := _RXNORM_NAME.match(text):
        yield match[1]
