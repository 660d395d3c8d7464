"""The place of a fact among the records: whose it is, and whether it stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FactPlace:
    """The records in which a fact counts, after corrections, merges and moves.

    Args:
        subject: In whose journal it is.
        fact: Its id.
        participant: To whose records it belongs; None: it does not stand.
        is_promoted: A later report without a value has made it final.
    """

    subject: str
    fact: str
    participant: str | None
    is_promoted: bool = False

    @property
    def is_plain(self) -> bool:
        """True for a fact that counts just as the journal has it."""
        return self.participant == self.subject and not self.is_promoted


@dataclass(frozen=True, slots=True)
class ChangedPlaces:
    """The places of facts that have changed.

    Args:
        subjects: Those in whose journals all other facts are plain.
        places: One for each fact, plain ones among them.
    """

    subjects: tuple[str, ...] = ()
    places: tuple[FactPlace, ...] = ()
