"""The standing of one participant under one stopping rule: the input of the study step."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """A counted event: *at* is the instant of reaching the grade (NRM: the date of death)."""

    at: datetime
    episode: (
        str  # criterion and onset, ``ctcae-5.0.anemia@2026-03-01T08:00:00+00:00``, or ``death``
    )
    grade: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class CompetingEvent:
    """An event after which the counted one is impossible, e.g. ``relapse``."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing of a participant under a rule; instants are aware, in UTC.

    Args:
        participant: Pseudonym.
        rule: Id.
        exposed_at: First infusion, when it was inside the window; None: not counted.
        window_ends_at: End of the participant's window (exclusive); None when not exposed.
        frozen_at: Follow-up ended early (withdrawal); None otherwise.
        event: Earliest event at lower grades, not rejected: the operative count.
        confirmed: Earliest event that a clinician confirmed.
        upper: Earliest event when every incomplete grade is taken at its upper end.
        competing: Earliest competing event before any event.
        transplant_day: Of *event*.
        treatment_day: Of *event*.
        missing_anchor: Of a treated participant who cannot be counted, the anchor that is not
            known, e.g. ``transplant``; *upper* is then an event at any time since treatment.
        merged_into: The participant to whom all facts belong since a merge; empty: none. Such a
            standing is in no count.
    """

    participant: str
    rule: str
    exposed_at: datetime | None = None
    window_ends_at: datetime | None = None
    frozen_at: datetime | None = None
    event: CountedEvent | None = None
    confirmed: CountedEvent | None = None
    upper: CountedEvent | None = None
    competing: CompetingEvent | None = None
    transplant_day: int | None = None
    treatment_day: int | None = None
    missing_anchor: str = ""
    merged_into: str = ""


@dataclass(frozen=True, slots=True)
class ObservedStanding:
    """A standing with the last instant at which the participant was observed (any dated fact)."""

    standing: Standing
    observed_until: datetime
