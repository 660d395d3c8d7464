"""Oxygen support: a device and how much it gives, beside what the participant had before."""

from dataclasses import dataclass
from decimal import Decimal

from services.safety_rules.domain.syndromes.bedside import AS_BEFORE, SignGrade
from services.vocabulary.grade import Grade, Input

CANNULA = "nasal-cannula"


@dataclass(frozen=True, slots=True)
class OxygenSupport:
    """Support by one device; None: not charted, or it cannot be.

    Args:
        device: Its name; empty: not known.
        flow: In L/min.
        fio2: Inspired oxygen in %.
    """

    device: str
    flow: Decimal | None = None
    fio2: Decimal | None = None

    def find_most(self, other: "OxygenSupport") -> "OxygenSupport":
        """Return the most of both, support by one device."""
        flows = [one.flow for one in (self, other) if one.flow is not None]
        inspired = [one.fio2 for one in (self, other) if one.fio2 is not None]
        return OxygenSupport(self.device, max(flows, default=None), max(inspired, default=None))


def compare_with_usual(
    level: SignGrade, support: OxygenSupport, usual_support: OxygenSupport
) -> SignGrade:
    """Return *level*, the grade of *support*, given the support that there was before exposure.

    No more than before is no hypoxia. How much it is may not be known: then it may be none.
    """
    settings = [(support.flow, usual_support.flow), (support.fio2, usual_support.fio2)]
    known_settings = [
        (now, usual) for now, usual in settings if now is not None and usual is not None
    ]
    if any(now > usual for now, usual in known_settings):
        return level
    because = f"{support.device or 'oxygen'}, {AS_BEFORE}"
    if known_settings:
        return SignGrade(Grade.NONE, Grade.NONE, because, facts=level.facts)
    setting = Input.OXYGEN_FLOW if support.device == CANNULA else Input.FIO2
    return SignGrade(
        Grade.NONE,
        level.at_most,
        f"{because}, at settings that are not known",
        (setting,) if support.device else level.missing,
        level.facts,
    )
