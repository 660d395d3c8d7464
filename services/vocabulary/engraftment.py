"""The recovery of blood counts after a transplant, and what it says of the graft."""

from dataclasses import dataclass
from enum import StrEnum


class RecoveryState(StrEnum):
    """The recovery of one kind of cell, by the counts after the graft."""

    RECOVERED = "recovered"
    NOT_BELOW = "not seen below the limit"  # as far as it was counted: there is no day of recovery
    NOT_RECOVERED = "not recovered"
    NOT_COUNTED = "not counted"


class GraftState(StrEnum):
    """A proposal to a clinician, or a clinician's judgement; empty: there is nothing to say."""

    NONE = ""
    PRIMARY_FAILURE_PROPOSED = "primary failure proposed"
    SECONDARY_FAILURE_PROPOSED = "secondary failure proposed"
    FUNCTIONING = "functioning"  # a clinician says so
    FAILED = "failed"  # a clinician says so


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery of one kind of cell; days are transplant days.

    Args:
        state: Of the recovery.
        day: First day of recovery, if days without a count were no lower; None: not recovered.
        at_latest: First day of recovery whatever the days without a count were; None: none.
        first_counted: First day with a count since the graft; None: none.
        last_counted: Last day with a count since the graft; None: none.
    """

    state: RecoveryState
    day: int | None = None
    at_latest: int | None = None
    first_counted: int | None = None
    last_counted: int | None = None


@dataclass(frozen=True, slots=True)
class Engraftment:
    """The engraftment of one participant.

    Args:
        participant: Pseudonym.
        neutrophils: Their recovery.
        platelets: Their recovery, without transfusion.
        transfusions: Known since the graft, of platelets or of a product that was not named.
        last_transfusion: Transplant day of the last of them; None: none is known.
        graft: A proposal, or a clinician's judgement.
        because: The counts behind a proposal, or the clinician's note.
    """

    participant: str
    neutrophils: Recovery
    platelets: Recovery
    transfusions: int = 0
    last_transfusion: int | None = None
    graft: GraftState = GraftState.NONE
    because: str = ""
