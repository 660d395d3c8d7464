"""Deaths that were not denied since: who takes one back speaks of the person, not of a report.

Source: HL7 v2.5.1, 3.4.2.30 (PID-30, patient death indicator);
docs/decisions/corrections.md, "A death that is taken back"
"""

from collections.abc import Iterable, Sequence

from services.vocabulary.clinical_fact import Death
from services.vocabulary.fact import Fact, Status


def is_denial(fact: Fact) -> bool:
    """Return True when *fact* says that the participant has not died: a deletion of no series."""
    is_deletion = isinstance(fact.body, Death) and fact.status is Status.DELETED
    return is_deletion and not fact.series


def select_undenied(deaths: Iterable[Fact], denials: Sequence[Fact]) -> list[Fact]:
    """Return those of *deaths* that nobody who may took back later.

    A site takes back what it reported itself, a person what anybody did.
    """
    return [
        death
        for death in deaths
        if not any(_is_later(one, death) and one.site in ("", death.site) for one in denials)
    ]


def find_doubts(deaths: Iterable[Fact], denials: Sequence[Fact]) -> dict[tuple[str, ...], str]:
    """Return the problem of each standing death that somebody else denied later, by the ids."""
    problems: dict[tuple[str, ...], str] = {}
    for death in deaths:
        later_denials = [one for one in denials if _is_later(one, death)]
        if later_denials:
            last = max(later_denials, key=lambda one: (one.reported_at, one.sequence, one.id))
            problem = "a later message of another sender says that the participant has not died"
            problems[death.id, last.id] = problem
    return problems


def _is_later(denial: Fact, death: Fact) -> bool:
    return (denial.reported_at, denial.sequence) > (death.reported_at, death.sequence)
