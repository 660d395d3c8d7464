"""Grades worked out from NCI's wording alone, for terms that are a list of bounds.

A second reader of the published text: it knows nothing of the thresholds in ``criteria/*/*.yaml``.
A term in which it does not understand a clause with a digit is left out.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, lt

NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
UNITS = {
    "mg/dL": "mg/dL",
    "g/dL": "g/dL",
    "g/L": "g/L",
    "mmol/L": "mmol/L",
    "/mm3": "/mm3",
    "x 10e9 /L": "10*9/L",
    "x 10e9/L": "10*9/L",
    "x 10^9/L": "10*9/L",
}
UNIT = "|".join(re.escape(unit) for unit in UNITS)
PREFIX = re.compile(r"^(Corrected serum calcium of |Hemoglobin \(Hgb\) |Hgb )")
ARM = r"(?: if baseline was (normal(?: or less than normal)?|abnormal|>ULN))?"
OF_LIMIT = re.compile(rf"([<>])(ULN|LLN)(?: - {NUMBER}? ?(?:x (?:ULN|LLN)|{UNIT})?)?{ARM}")
MULTIPLE = re.compile(
    rf"([<>]?) ?{NUMBER}(?: x (?:ULN|LLN))?(?: - {NUMBER})? x (ULN|LLN|baseline){ARM}"
)
AMOUNT = re.compile(rf"([<>]) ?{NUMBER}(?: ?(?:{UNIT}))?(?: - {NUMBER})? ?({UNIT})")


@dataclass(frozen=True)
class Bound:
    """The mild end of one clause: beyond it the grade is met."""

    grade: int
    sign: str
    number: Decimal
    multiple_of: str  # ULN, LLN, baseline; empty: a number in *unit*
    unit: str
    arm: str  # normal, abnormal; empty: any baseline


def read_bounds(wordings):
    """The bounds of a term by its *wordings*; None: a clause with a digit is not understood."""
    bounds = []
    for grade, wording in wordings.items():
        for clause in re.split(r"; ?", wording):
            text = PREFIX.sub("", clause.strip())
            if text.startswith("Ionized"):
                continue
            bound = _read_clause(int(grade), text)
            if bound is None and (re.search(r"\d|LN|[Bb]aseline|with", text)):
                return None
            bounds += [] if bound is None else [bound]
    return bounds or None


def _read_clause(grade, text):
    if match := OF_LIMIT.fullmatch(text):
        return Bound(grade, match[1], Decimal(1), match[2], "", _name_arm(match[4]))
    if match := MULTIPLE.fullmatch(text):
        sign = match[1] or ">="
        return Bound(grade, sign, _decimal(match[2]), match[4], "", _name_arm(match[5]))
    if match := AMOUNT.fullmatch(text):
        return Bound(grade, match[1], _decimal(match[2]), "", UNITS[match[4]], "")
    return None


def _name_arm(words):
    return "" if words is None else ("normal" if words.startswith("normal") else "abnormal")


def _decimal(text):
    return Decimal(text.replace(",", ""))


def grade_by_wording(bounds, unit, value, limits, baseline):
    """The grade of *value* by the text.

    *baseline* is None before exposure, else the value and the limit of the term's side that it was
    reported with; *limits* has those of the value by name.
    """
    is_high = any(bound.sign.startswith(">") for bound in bounds)
    arm = "normal"
    if baseline is not None:
        number, own_limit = baseline
        is_abnormal = number > own_limit if is_high else number < own_limit
        arm = "abnormal" if is_abnormal else "normal"
    grades = {0}
    for bound in bounds:
        if bound.arm not in ("", arm) or (bound.unit and bound.unit != unit):
            continue
        if bound.multiple_of == "baseline" and baseline is None:
            continue
        reference = {"": Decimal(1), "baseline": baseline and baseline[0], **limits}
        compare = {">": gt, ">=": ge, "<": lt}[bound.sign]
        if compare(value, bound.number * reference[bound.multiple_of]):
            grades.add(bound.grade)
    return max(grades)
