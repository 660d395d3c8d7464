"""The inputs that a grade is missing, in words."""

from collections.abc import Iterable

from services.vocabulary.grade import Input

# The cases that the published wording does not cover (docs/decisions/bedside.md), by scale.
_CASES_WITHOUT_RULE = {
    "astct-2019.crs": (
        "a published rule for signs after an untreated fever has gone or with a pressure that was"
        " low before exposure"
    ),
    "astct-2019.icans": (
        "a published rule for a charted word that is none of the scale's or for a score that was"
        " abnormal before exposure"
    ),
}
_BASELINE_WITHOUT_RULE = "a published rule for such a value before exposure"


def describe_missing_inputs(names: Iterable[str], criterion: str) -> str:
    """Return the inputs called *names*, as the grades of *criterion* name them, in words.

    >>> describe_missing_inputs(("ULN", "baseline"), "ctcae-5.0.hyperkalemia")
    'ULN, baseline'
    >>> describe_missing_inputs(("text",), "ctcae-5.0.lipase-increased")
    'a published rule for such a value before exposure'
    >>> describe_missing_inputs(("ICE score", "text"), "astct-2019.icans")  # doctest: +ELLIPSIS
    "ICE score, a published rule for a charted word that is none of the scale's or ..."
    """
    case_without_rule = _CASES_WITHOUT_RULE.get(criterion, _BASELINE_WITHOUT_RULE)
    return ", ".join(case_without_rule if name == Input.TEXT else name for name in names)
