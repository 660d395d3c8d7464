"""The effects of each decision of a person on a record, and which a later one replaced."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.safety_rules.domain.episodes.record import order_of_signing
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Adjudication, Verdict

STATE, WORST_GRADE, ATTRIBUTION = "state", "worst grade", "attributed to"


@dataclass(frozen=True, slots=True)
class AdjudicationEffect:
    """A field of a record that an adjudication set; *is_replaced*: a later one set it again."""

    field: str
    value: str
    is_replaced: bool = False


def list_adjudication_effects(
    decisions: Iterable[Fact],
) -> list[tuple[Fact, tuple[AdjudicationEffect, ...]]]:
    """Return *decisions*, adjudications of one record, as they were signed, with their effects."""
    effects: list[tuple[Fact, tuple[AdjudicationEffect, ...]]] = []
    set_later: set[str] = set()
    for fact in sorted(decisions, key=order_of_signing, reverse=True):
        values = _list_values(fact.body) if isinstance(fact.body, Adjudication) else {}
        effects.append(
            (
                fact,
                tuple(
                    AdjudicationEffect(field, value, field in set_later)
                    for field, value in values.items()
                ),
            )
        )
        set_later |= values.keys()
    return effects[::-1]


def _list_values(decision: Adjudication) -> dict[str, str]:
    match decision.verdict:
        case Verdict.CONFIRM:
            return {STATE: "confirmed"}
        case Verdict.REJECT:
            return {STATE: "rejected"}
        case Verdict.REGRADE:
            return {STATE: "confirmed", WORST_GRADE: str(decision.grade)}
        case Verdict.ATTRIBUTE:
            return {ATTRIBUTION: decision.cause}
