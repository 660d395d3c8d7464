"""The length of a rule's window before there are participants: from the day of the first dose."""

from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.protocol import Window


def find_window_days(window: Window, dose_day: Floats) -> Floats:
    """Return the length of the window of each participant in days.

    A window that ends on a day of the transplant is the shorter the later the first dose is given.
    Every other anchor of an end is taken as the day of the first dose.

    >>> import numpy as np
    >>> from services.vocabulary.protocol import WindowEdge
    >>> to_day_100 = Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100))
    >>> find_window_days(to_day_100, np.array([60.0, 90.0])).tolist()
    [41.0, 11.0]

    Args:
        window: Of the rule; the whole of its last day is inside.
        dose_day: Transplant day of each first dose, of any shape.

    Raises:
        ValueError: The window has no day at its end, or ends before a first dose.
    """
    if window.end.day is None:
        raise ValueError("a window that ends at an instant has no length before the trial")
    days = window.end.day + 1 - (dose_day if window.end.anchor == "transplant" else 0 * dose_day)
    if (days <= 0).any():
        raise ValueError(
            f"dose-days must be before the window ends on day {window.end.day}, not"
            f" {dose_day.max():g}"
        )
    return days
