"""The days through which a rule follows each participant, as far as its protocol says."""

from dataclasses import dataclass

from services.vocabulary.protocol import Protocol, Window


@dataclass(frozen=True, slots=True)
class WindowLength:
    """The longest that a window can be, in *days*, with the reason; empty: every one is as long."""

    days: float
    reason: str = ""

    def __str__(self) -> str:
        """Return the length in words."""
        words = f"{self.days:g} {'day' if self.days == 1 else 'days'}"
        return f"at most {words} ({self.reason})" if self.reason else words


def measure_window(window: Window, protocol: Protocol) -> WindowLength:
    """Return the length of *window*, from its first day to its last.

    Between two anchors it differs between participants: the longest is taken. A course that the
    protocol lets begin on some transplant day at the earliest ends no later than its window.
    """
    first, last = window.start.day or 0, window.end.day or 0
    if window.start.anchor == window.end.anchor:
        return WindowLength(max(last - first, 0))
    start = window.start.anchor.replace("_", " ")
    begins_with_course = window.start.anchor in ("first_infusion", "each_course")
    deviations = protocol.deviations
    if deviations and begins_with_course and window.end.anchor == "transplant":
        earliest = deviations.first_course_on[0]
        if last > earliest + first:
            reason = f"first course from transplant day {earliest} on"
            return WindowLength(last - earliest - first, reason)
    end = window.end.anchor.replace("_", " ")
    return WindowLength(max(last - first, 0), f"{start} on the day of the {end} or later")
