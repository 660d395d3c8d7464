"""Texts in facts that a site sends in our own form: each is one of a closed set, or left out.

Records, notices and topics show what facts say. What a site writes freely, as a comment or the name
of who assessed, stays in the raw message, which only a holder of the keys reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from services.ingest.domain.drug_routes import OTHER, close_route
from services.ingest.domain.message_content import ParkedItem, ParkReason
from services.ingest.domain.quoted_text import UNKNOWN_UNIT, quote_in
from services.ingest.domain.site import CodeTables
from services.vocabulary.clinical_fact import (
    Administration,
    Culture,
    Death,
    Enrolment,
    Observation,
    Relapse,
    Withdrawal,
)
from services.vocabulary.fact import RANGE_NOT_READ, Body, Fact
from services.vocabulary.graft_fact import GraftStatus
from services.vocabulary.judgement import Assessment, Finding
from services.vocabulary.quantity import Quantity

_NO_DRUG = "no drug is called '{}': use a name of the table of drugs"


@dataclass(frozen=True, slots=True)
class ClosedTexts:
    """The words that facts of a site may use.

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
            if unit and self.tables.units.find(unit) is None:
                return ParkedItem(path, ParkReason.UNKNOWN_UNIT, *quote_in(UNKNOWN_UNIT, unit))
        return None

    def close_fact(self, fact: Fact, site: str) -> Fact:
        """Return *fact* of *site* without any text that is not of a closed set."""
        notes = tuple(note for note in fact.notes if note == RANGE_NOT_READ)
        return replace(fact, body=self._close_body(fact.body, site), notes=notes)

    def close_cause(self, body: Body) -> Body:
        """Return *body*; the cause of a death that the study does not know is another one."""
        if isinstance(body, Death) and body.cause and not self.is_cause(body.cause):
            return replace(body, cause=OTHER)
        return body

    def _close_body(self, body: Body, site: str) -> Body:
        match body:
            case Observation(text=text) if text and text not in self.tables.words.values():
                body = replace(body, text=OTHER)
            case Administration(route=route):
                body = replace(body, route=close_route(route))
            case Culture(organism=organism) if organism not in self.tables.organisms:
                body = replace(body, organism=OTHER if organism else "")
            case Enrolment():
                body = replace(body, site=site)
            case Relapse():
                body = Relapse()
            case Withdrawal():
                body = Withdrawal()
            case Assessment() | Finding() | GraftStatus():
                body = replace(body, by=site, note="")
        return self.close_cause(body)


def _list_units(body: Body) -> list[str]:
    values = (getattr(body, field.name) for field in fields(body))
    return [value.unit for value in values if isinstance(value, Quantity)]
