"""The reason of an act, which says something: it has a letter or a digit of any script."""

# They count as letters, and nobody sees them.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


def trim_reason(text: str) -> str:
    r"""Return *text* without blanks around it; empty where it says nothing.

    >>> trim_reason(" seen in the chart "), trim_reason("理由"), trim_reason("2")
    ('seen in the chart', '理由', '2')
    >>> trim_reason("-."), trim_reason("\u200b"), trim_reason("\u2800"), trim_reason("\u3164")
    ('', '', '', '')
    """
    says_something = any(one.isalnum() and one not in _FILLERS for one in text)
    return text.strip() if says_something else ""
