"""One record by the beginning of its id."""

from services.cli.command import CommandError
from services.vocabulary.episode import Episode


def find_record(episodes: list[Episode], start: str) -> Episode:
    """Return the one record whose id begins with *start*.

    Raises:
        CommandError: There is none, or there are several.
    """
    found = [episode for episode in episodes if episode.id.startswith(start)]
    if len(found) != 1:
        count = len(found) or "no"
        raise CommandError(f"{count} records begin with {start}: `aegis records` lists them")
    return found[0]
