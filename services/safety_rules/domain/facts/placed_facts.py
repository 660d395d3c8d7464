"""The places of one participant's facts, as far as they are not what the journal says by itself."""

from collections.abc import Sequence

from services.safety_rules.domain.facts.current_facts import FactChanges
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.fact import Fact, Status
from services.vocabulary.fact_place import FactPlace


class PlacedFacts:
    """The places that changed since they were last taken.

    Movements have none: which of them a cancel undoes is of no use to those who watch.
    """

    def __init__(self, participant: str) -> None:
        """Start without a fact; *participant* is the owner of all that are added."""
        self._participant = participant
        self._places: dict[str, FactPlace] = {}  # by the id of the fact

    def add(self, facts: Sequence[Fact], change: FactChanges) -> None:
        """Add *facts*, none of which came before, with the *change* that they made."""
        current_by_id = {fact.id: fact for fact in change.added_facts}
        for fact in facts:
            current = current_by_id.pop(fact.id, None)
            is_as_sent = current is fact and fact.status is not Status.PROMOTED
            if not is_as_sent or fact.subject != self._participant:
                self._place_fact(fact, current)
        for fact in change.removed_facts:
            self._place_fact(fact, current_by_id.pop(fact.id, None))
        for fact in current_by_id.values():
            self._place_fact(fact, fact)

    def take_places(self) -> Sequence[FactPlace]:
        """Return the places that changed since the last call, each once."""
        places, self._places = self._places, {}
        return tuple(places.values())

    def _place_fact(self, fact: Fact, current: Fact | None) -> None:
        if isinstance(fact.body, Movement):
            return
        owner = self._participant if current is not None else None
        is_promoted = current is not None and current.status is Status.PROMOTED
        self._places[fact.id] = FactPlace(fact.subject, fact.id, owner, is_promoted)
