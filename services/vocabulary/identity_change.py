"""Merges and moves of identifiers: facts that change the owner of other facts."""

from services.vocabulary.fact_body import FactBody


class Merge(FactBody, frozen=True, tag="merge"):
    """Participants *gone* and *survivor* are one person; stands in the journals of both.

    *undone* takes an earlier merge of the two back. Source: HL7 v2.5.1, 3.3.40 (A40).
    """

    gone: str
    survivor: str
    undone: bool = False


class Move(FactBody, frozen=True, tag="move"):
    """The facts sent about *source* belong to *target*; stands in the journals of both.

    The scope is the visit *visit*, known as *new_visit* from then on (empty: as before); an empty
    *visit* moves all that feeds sent under the identifier. *undone* takes earlier moves of the same
    between the two back. Source: HL7 v2.5.1, 3.3.43 (A43), 3.3.45 (A45).
    """

    source: str
    target: str
    visit: str = ""
    new_visit: str = ""
    undone: bool = False
