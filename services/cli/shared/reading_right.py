"""The right to read what senders wrote, in which a patient may be named, at the command line."""

import sys
from dataclasses import dataclass

from services.cli.command import CommandError
from services.cli.shared.acting_person import DataInUse, find_command_session
from services.people.rights import Page, may_see
from services.store import people


@dataclass(frozen=True, slots=True)
class ReadingRight:
    """The right of whoever runs a command: as on the page of parked items.

    Args:
        problem: Why they may read nothing of it; empty: they may.
        site: The only one whose senders they may read; empty: every one.
    """

    problem: str = ""
    site: str = ""

    def covers(self, site: str) -> bool:
        """Return True if it holds for what *site* sent."""
        return not self.problem and self.site in ("", site)


def find_reading_right(data: DataInUse) -> ReadingRight:
    """Return the right of who is signed in; before there is anybody, who has the keys may read."""
    with data.db.read() as conn:
        if not people.has_people(conn):
            return ReadingRight()
    try:
        person = find_command_session(data).person
    except CommandError as error:
        return ReadingRight(str(error))
    if not may_see(person, Page.PARKED):
        return ReadingRight(f"{person.id} ({', '.join(sorted(person.roles))}) may not read them")
    return ReadingRight(site=person.site)


def warn_of_masked_words(right: ReadingRight) -> None:
    """Say on standard error why the words of senders are left out."""
    problem = right.problem or f"you are of site {right.site}"
    print(f"the words of senders are not shown: {problem}", file=sys.stderr)
