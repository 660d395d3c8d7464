"""Texts in facts that come in our own form: each is one of a closed set, or left out.

Records, notices and topics show what facts say. What a sender writes freely, as a comment or the
name of who assessed, stays in the raw message, which only a holder of the keys reads.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import astuple, replace

from services.ingest.domain.drug_routes import OTHER, close_route
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.domain.quoted_text import UNKNOWN_UNIT, quote_in
from services.ingest.domain.site import CodeTables
from services.vocabulary.clinical_fact import (
    Administration,
    Culture,
    Death,
    Observation,
    Relapse,
    Withdrawal,
)
from services.vocabulary.fact import RANGE_NOT_READ, Body, Fact
from services.vocabulary.graft_fact import GraftStatus
from services.vocabulary.judgement import Assessment, Finding
from services.vocabulary.quantity import Quantity

# Of doses there are more units than `UnitTable` knows: what they may be composed of.
_UNIT_PARTS = frozenset(
    {"pg", "ng", "ug", "mg", "g", "kg", "pmol", "nmol", "umol", "mmol", "mol", "meq"}
    | {"uL", "mL", "dL", "L", "mU", "U", "kU", "m[IU]", "[IU]", "k[IU]", "%", "1", "10*6", "10*9"}
    | {"s", "min", "h", "d", "wk", "m2"}
)
_NO_DRUG = "no drug is called '{}': use a name of the table of drugs"


@dataclass(frozen=True, slots=True)
class ClosedTexts:
    """The words that facts may use.

    Args:
        tables: Units, drugs and charted words.
        is_cause: Returns True for a cause of death that the study knows.
    """

    tables: CodeTables
    is_cause: Callable[[str], bool]

    def find_unknown_word(self, body: Body, path: str) -> ParkedItem | None:
        """Return the item of a fact whose drug or unit nobody knows; None: they are known."""
        if isinstance(body, Administration) and body.drug not in self.tables.drugs.values():
            return ParkedItem(path, ParkReason.UNKNOWN_CODE, *quote_in(_NO_DRUG, body.drug))
        for unit in _list_units(body):
            if unit and not self._is_unit(unit):
                return ParkedItem(path, ParkReason.UNKNOWN_UNIT, *quote_in(UNKNOWN_UNIT, unit))
        return None

    def close_fact(self, fact: Fact, sender: str) -> Fact:
        """Return *fact* of *sender*, a site or a person, without any text of no closed set."""
        notes = tuple(note for note in fact.notes if note == RANGE_NOT_READ)
        return replace(fact, body=self._close_body(fact.body, sender), notes=notes)

    def _is_unit(self, unit: str) -> bool:
        parts = re.split(r"[/.]", unit)
        return self.tables.units.find(unit) is not None or _UNIT_PARTS.issuperset(parts)

    def close_cause(self, body: Body) -> Body:
        """Return *body*; the cause of a death that the study does not know is another one."""
        if isinstance(body, Death) and body.cause and not self.is_cause(body.cause):
            return replace(body, cause=OTHER)
        return body

    def _close_body(self, body: Body, sender: str) -> Body:
        match body:
            case Observation(text=text) if text and text not in self.tables.words.values():
                body = replace(body, text=OTHER)
            case Administration(route=route):
                body = replace(body, route=close_route(route))
            case Culture(organism=organism) if organism not in self.tables.organisms:
                body = replace(body, organism=OTHER if organism else "")
            case Relapse():
                body = Relapse()
            case Withdrawal():
                body = Withdrawal()
            case Assessment() | Finding() | GraftStatus():
                body = replace(body, by=sender, note="")
        return self.close_cause(body)


def _list_units(body: Body) -> list[str]:
    return [value.unit for value in astuple(body) if isinstance(value, Quantity)]
