"""A line on the terminal that says how far a slow command is; it is gone at the end."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CLEAR_LINE = "\r\x1b[K"


@contextmanager
def show_progress(noun: str) -> Iterator[Callable[[], None]]:
    """Let a block count what is done, by the function that it gets; *noun* is what it counts.

    Nothing is shown where standard error is no terminal.
    """
    count = 0
    is_shown = sys.stderr.isatty()

    def show() -> None:
        if is_shown:
            print(f"{_CLEAR_LINE}{count} {noun} ...", end="", file=sys.stderr, flush=True)

    def count_one() -> None:
        nonlocal count
        count += 1
        show()

    show()
    try:
        yield count_one
    finally:
        if is_shown:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)
