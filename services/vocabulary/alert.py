"""Alerts: raised by the rules, delivered to people by the alerts service."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.vocabulary.decision import Decision
from services.vocabulary.episode import EpisodeContent
from services.vocabulary.operations import ClockDetail, DailyNoteDetail, SilenceDetail
from services.vocabulary.recommendation import Advice


class Level(StrEnum):
    """The scope of an alert, the widest first."""

    STUDY = "study"
    PARTICIPANT = "participant"
    OPERATIONS = "operations"


class AlertKind(StrEnum):
    """The kind of event that raised an alert."""

    BOUNDARY_REACHED = "boundary_reached"
    BOUNDARY_LIKELY = "boundary_likely"
    BOUNDARY_AT_UPPER = "boundary_reached_at_upper_grades"  # and not as it is counted
    EPISODE = "episode"  # new, or its grade rose, at or above the protocol's grade
    POSSIBLE = "possible_episode"  # an incomplete grade that may be that high
    DEATH = "death"
    DOSE = "dose"  # of the study drug: interrupt, withhold, discontinue
    HYS_LAW = "hys_law"
    DEVIATION = "deviation"  # from the protocol
    QUARANTINE = "quarantined"
    SAE_CLOCK = "sae_clock"  # of a serious event: it runs, its last quarter, over
    SITE_SILENT = "site_silent"
    PARTICIPANT_SILENT = "participant_silent"  # in the window, and no vital sign
    ENGINE_SILENT = "engine_silent"  # a heartbeat does not come back
    DAILY_NOTE = "daily_note"


class ClosingReason(StrEnum):
    """The reason for which an alert is closed although its facts stand."""

    DSMB_ANSWER = "answered"  # the DSMB has determined to continue
    STRONGER_ALERT = "overtaken"  # another alert about the same rule says more
    NO_LONGER_SO = "ended"  # what it told of is over: a silence, a clock


@dataclass(frozen=True, slots=True)
class DeathDetail:
    """A death: its cause (empty: not reported) and its days."""

    cause: str
    transplant_day: int | None
    treatment_day: int | None


@dataclass(frozen=True, slots=True)
class QuarantineDetail:
    """A failed fold: the class of the error, never its text."""

    error: str


Detail = (
    Decision
    | EpisodeContent
    | Advice
    | DeathDetail
    | QuarantineDetail
    | ClockDetail
    | SilenceDetail
    | DailyNoteDetail
)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: one per episode and level, or per rule and kind; a rise updates it.

    Args:
        id: uuid5 of its subject; stable, so that a duplicate is recognised.
        level: Study, participant or operations.
        kind: Of the event that raised it.
        study: Id.
        about: Episode id, rule id, or participant.
        participant: Pseudonym, or empty at study level.
        grade: Of the episode's at_least now, the number of events of a rule, or how much a
            recommendation asks for; a rise is news.
        roles: Notified first.
        escalate_to: Notified next, in order.
        acknowledge_within_s: Seconds; 0: nobody has to acknowledge it.
        opened_at: Instant at which the facts behind it became known, aware, in UTC.
        detail: Source of the wording; its type follows from *kind*.
        protocol: Label with version and signature.
        retracted: The facts behind it were corrected away.
        closed: Reason of the closing; None while it is open or retracted.
        suspected: Nobody has confirmed it yet.
        provisional: Its evidence is not final.
        version: Counts the changes of this row.
    """

    id: str
    level: Level
    kind: AlertKind
    study: str
    about: str
    participant: str
    grade: int
    roles: tuple[str, ...]
    escalate_to: tuple[str, ...]
    acknowledge_within_s: int
    opened_at: datetime
    detail: Detail
    protocol: str = ""
    retracted: bool = False
    closed: ClosingReason | None = None
    suspected: bool = True
    provisional: bool = False
    version: int = 1

    @property
    def is_open(self) -> bool:
        """True while it is neither retracted nor closed."""
        return not self.retracted and self.closed is None

    @property
    def due_at(self) -> datetime | None:
        """The instant by which it has to be acknowledged; None: nobody has to."""
        if not self.acknowledge_within_s:
            return None
        return self.opened_at + timedelta(seconds=self.acknowledge_within_s)
