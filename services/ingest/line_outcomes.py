"""The outcome of each line of a message of facts."""

from collections.abc import Iterable

from services.ingest.domain.message_content import ParkedItem
from services.ingest.facts import FactsContent
from services.ingest.ids import fact_id
from services.ingest.line_places import find_line_number
from services.ingest.outcome import LineOutcome, LineResult
from services.store.journal import RawMessage
from services.vocabulary.fact import Fact


def build_line_outcomes(
    message: RawMessage,
    content: FactsContent,
    facts: Iterable[Fact],
    parked: Iterable[ParkedItem],
) -> tuple[LineOutcome, ...]:
    """Return the outcome of each line, in order; none when the message is parked whole.

    Args:
        message: The message as it is stored.
        content: Its lines that are facts, and those that are none.
        facts: Those that it added to the journal.
        parked: What waits of it.
    """
    # The latter have the words of the sender, which stored items lack
    items = {item.path: item for item in (*parked, *content.parked)}
    if any(find_line_number(path) is None for path in items):
        return ()
    added_ids = {fact.id for fact in facts}
    ids = {line.place: fact_id(message, "fact", line.sender_id) for line in content.facts}
    # Of several lines with one id the last is the fact
    last_places = {id_: place for place, id_ in ids.items()}
    results = dict.fromkeys(items, LineResult.PARKED)
    for place, id_ in ids.items():
        last_place = last_places[id_]
        if last_place in items:
            results[place] = LineResult.PARKED
            items[place] = items[last_place]
        elif place not in items:
            is_added = id_ in added_ids and place == last_place
            results[place] = LineResult.STORED if is_added else LineResult.DUPLICATE
    return tuple(
        sorted(
            (
                LineOutcome(find_line_number(place) or 0, result, items.get(place))
                for place, result in results.items()
            ),
            key=lambda outcome: outcome.line,
        )
    )
