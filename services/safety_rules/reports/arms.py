"""Two arms beside each other, for a statistician's hand."""

from services.safety_rules.domain.stopping.arm_contrasts import Arm
from services.safety_rules.domain.stopping.two_arms import ArmComparison, compare_arms

__all__ = ("Arm", "ArmComparison", "compare_arms")
