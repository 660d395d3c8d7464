"""The environment variables that a misspelt or invented one may stand for."""

from collections.abc import Iterable
from difflib import get_close_matches

PREFIX = "AEGIS_"
_MISSPELT = 0.8  # similarity from which a name is taken for a misspelt one
_MOST_SUGGESTED = 3


def suggest_variables(variable: str, known_names: Iterable[str]) -> str:
    """Return the known variables that *variable* may stand for, or where all of them are listed.

    It is a misspelt one; else those that share most words with it, of which one may have no other.

    >>> known_names = ["AEGIS_DATA", "AEGIS_HTTP_PORT", "AEGIS_MLLP_PORT"]
    >>> suggest_variables("AEGIS_HTPP_PORT", known_names)
    'did you mean AEGIS_HTTP_PORT?'
    >>> suggest_variables("AEGIS_DATA_DIR", known_names)
    'did you mean AEGIS_DATA?'
    >>> suggest_variables("AEGIS_PORT", known_names)
    'did you mean AEGIS_HTTP_PORT or AEGIS_MLLP_PORT?'
    >>> suggest_variables("AEGIS_LOG_LEVEL", known_names)
    'docs/running.md lists them all'
    """
    words_of = {name: frozenset(name.split("_")[1:]) for name in known_names}
    words = frozenset(variable.split("_")[1:])
    most_shared = max(len(words & other_words) for other_words in words_of.values())
    related_names = [name for name in words_of if 0 < most_shared == len(words & words_of[name])]
    suggestions = (
        _find_similar(variable, words_of, 1, _MISSPELT)
        or [name for name in related_names if words_of[name] <= words]
        or sorted(_find_similar(variable, related_names, _MOST_SUGGESTED))
    )
    if not suggestions:
        return "docs/running.md lists them all"
    *first_suggestions, last = suggestions
    return (
        f"did you mean {', '.join(first_suggestions)}{' or ' if first_suggestions else ''}{last}?"
    )


def _find_similar(
    variable: str, names: Iterable[str], count: int, cutoff: float = 0.0
) -> list[str]:
    """Return at most *count* of *names*, the most similar first, by what follows the prefix."""
    tails = sorted(name.removeprefix(PREFIX) for name in names)
    similar_tails = get_close_matches(variable.removeprefix(PREFIX), tails, count, cutoff)
    return [f"{PREFIX}{tail}" for tail in similar_tails]
