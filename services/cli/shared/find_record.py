"""One record by the beginning of its id."""

from services.cli.command import CommandError
from services.vocabulary.episode import Episode


def find_record(episodes: list[Episode], start: str) -> Episode:
    """Return the one record whose id begins with *start*.

    Raises:
        CommandError: There is none, or there are several.
    """
    matches = [episode for episode in episodes if episode.id.startswith(start)]
    if len(matches) != 1:
        count = len(matches) or "no"
        raise CommandError(f"{count} records begin with {start}: `aegis records` lists them")
    return matches[0]
