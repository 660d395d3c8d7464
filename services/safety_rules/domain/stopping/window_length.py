"""The length of a rule's window before there are participants: from the days of the first dose."""

from services.vocabulary.protocol import Window


def find_window_days(window: Window, dose_days: tuple[float, float]) -> tuple[float, float]:
    """Return the shortest and the longest window in days.

    A window that ends on a day of the transplant is the shorter the later the first dose is given.
    Every other anchor of an end is taken as the day of the first dose.

    >>> from services.vocabulary.protocol import WindowEdge
    >>> to_day_100 = Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100))
    >>> find_window_days(to_day_100, (60, 90))
    (11, 41)
    >>> each_course = Window(WindowEdge("each_course"), WindowEdge("each_course", 30))
    >>> find_window_days(each_course, (60, 90))
    (31, 31)

    Args:
        window: Of the rule; the whole of its last day is inside.
        dose_days: Transplant days of the first dose, from the earliest to the latest.

    Raises:
        ValueError: The window has no day at its end, or ends before the latest first dose.
    """
    if window.end.day is None:
        raise ValueError("a window that ends at an instant has no length before the trial")
    earliest, latest = dose_days if window.end.anchor == "transplant" else (0, 0)
    shortest, longest = window.end.day + 1 - latest, window.end.day + 1 - earliest
    if shortest <= 0:
        raise ValueError(
            f"dose-days must be before the window ends on day {window.end.day}, not {latest:g}"
        )
    return shortest, longest
