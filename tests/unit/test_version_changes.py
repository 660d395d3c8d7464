"""Changes of a version of a record, and effects of a person's decisions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.safety_rules.domain.episodes.adjudication_effects import list_adjudication_effects
from services.safety_rules.domain.episodes.version_changes import list_version_changes
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from services.vocabulary.judgement import Adjudication, Verdict
from tests.helpers.fact_notes import HOUR_ZERO, fact, hours


def span(low, high=None):
    return Span(Grade(low), Grade(low if high is None else high))


def change(hour, grades, because, *facts, missing=()):
    return Change(hours(hour), grades, because, missing, facts)


MILD = change(0, span(1), "> ULN", "a")
MODERATE = change(1, span(2), "> 3 x ULN", "b")
OPEN = change(1, span(1, 3), "> ULN", "b", missing=("symptoms",))
FIRST = EpisodeContent("P-001", "c", "Term", HOUR_ZERO, (MILD,), span(1), span(1))
WITHOUT_RULE = change(1, span(1, 3), "> ULN", "b", missing=("text",))
REGRADED_CHANGE = change(1, span(1), "regraded by lee: seen", "b", "j")
SECOND = replace(FIRST, history=(MILD, MODERATE), worst=span(2), current=span(2))

# the version before, the new one; field, before, after, because
TABLE = {
    "new": (None, FIRST, [("worst grade", None, span(1), "> ULN")]),
    "worse": (FIRST, SECOND, [("worst grade", span(1), span(2), "> 3 x ULN")]),
    "better": (
        SECOND, replace(SECOND, history=(MILD, MODERATE, change(2, span(1), "> 2 x ULN", "c")),
                        current=span(1)),
        [("grade now", span(2), span(1), "> 2 x ULN")],
    ),
    "perhaps worse": (
        FIRST, replace(FIRST, history=(MILD, OPEN), worst=span(1, 3), current=span(1, 3)),
        [("worst grade", span(1), span(1, 3), "> ULN (missing: symptoms)")],
    ),
    "no longer worse": (
        SECOND, FIRST,
        [("worst grade", span(2), span(1), "> ULN"), ("grades", ("1", "2"), ("1",), "")],
    ),
    "resolved": (
        FIRST, replace(FIRST, resolved_at=hours(5), current=span(0)),
        [("grade now", span(1), span(0), ""), ("resolved", None, hours(5), "")],
    ),
    "confirmed": (
        FIRST, replace(FIRST, state=EpisodeState.CONFIRMED, adjudications=("j",)),
        [("state", EpisodeState.SUSPECTED, EpisodeState.CONFIRMED, ""),
         ("adjudications", (), ("j",), "")],
    ),
    "regraded to a grade that it had before": (
        SECOND, replace(SECOND, history=(MILD, REGRADED_CHANGE), worst=span(1), current=span(1),
                        adjudications=("j",)),
        [("worst grade", span(2), span(1), "regraded by lee: seen"),
         ("grades", ("1", "2"), ("1", "1"), ""), ("adjudications", (), ("j",), "")],
    ),
    "regraded, and later worse by a result": (
        replace(SECOND, history=(MILD, REGRADED_CHANGE), worst=span(1), current=span(1),
                adjudications=("j",)),
        replace(SECOND, history=(MILD, REGRADED_CHANGE, change(3, span(3), "> 5 x ULN", "d")),
                worst=span(3), current=span(3), adjudications=("j",)),
        [("worst grade", span(1), span(3), "> 5 x ULN")],
    ),
    "confirmed when a result made it worse": (
        FIRST, replace(SECOND, adjudications=("j",)),
        [("worst grade", span(1), span(2), "> 3 x ULN"), ("adjudications", (), ("j",), "")],
    ),
    "a case that the published text does not cover": (
        FIRST, replace(FIRST, history=(MILD, WITHOUT_RULE), worst=span(1, 3), current=span(1, 3)),
        [("worst grade", span(1), span(1, 3),
          "> ULN (missing: a published rule for such a value before exposure)")],
    ),
    "another result of the same grade": (
        FIRST, replace(FIRST, history=(replace(MILD, facts=("z",)),)),
        [("facts", ("a",), ("z",), "")],
    ),
    "the same grade for another reason": (
        FIRST, replace(FIRST, history=(replace(MILD, because="> 120 U/L"),)),
        [("reason", "> ULN", "> 120 U/L", "")],
    ),
    "less is missing": (
        FIRST, replace(FIRST, history=(replace(MILD, missing=("ULN",)),)),
        [("missing", (), ("ULN",), "")],
    ),
    "another scale": (
        FIRST, replace(FIRST, other_scales={"v6": span(2)}), [("on v6", None, span(2), "")],
    ),
    "nothing": (FIRST, FIRST, []),
}  # fmt: skip


@pytest.mark.parametrize(("old_content", "content", "expected"), TABLE.values(), ids=TABLE)
def test_the_changes_of_a_version(old_content, content, expected):
    changes = list_version_changes(old_content, content)
    assert [(one.field, one.old_value, one.new_value, one.because) for one in changes] == expected


def decide(minute, verdict, **words):
    signed_at = HOUR_ZERO + timedelta(minutes=minute)
    return fact(Adjudication("c", verdict, "lee", "seen", signed_at, **words), name=f"{minute}")


CONFIRM, REJECT = decide(1, Verdict.CONFIRM), decide(2, Verdict.REJECT)
TO_TWO = decide(3, Verdict.REGRADE, grade=2)
TO_THREE = decide(4, Verdict.REGRADE, grade=3)
CAUSE = decide(5, Verdict.ATTRIBUTE, cause="infection")

# decisions in any order; of each, as signed: what it set, with a star where it was set again
DECISIONS = {
    "none": ([], []),
    "confirmed": ([CONFIRM], [["state confirmed"]]),
    "confirmed, then rejected": (
        [REJECT, CONFIRM], [["state confirmed*"], ["state rejected"]],
    ),
    "regraded twice": (
        [TO_THREE, TO_TWO],
        [["state confirmed*", "worst grade 2*"], ["state confirmed", "worst grade 3"]],
    ),
    "confirmed, regraded, attributed": (
        [CAUSE, CONFIRM, TO_TWO],
        [["state confirmed*"], ["state confirmed", "worst grade 2"], ["attributed to infection"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("decisions", "expected"), DECISIONS.values(), ids=DECISIONS)
def test_what_decisions_set(decisions, expected):
    assert [
        [f"{one.field} {one.value}{'*' if one.is_replaced else ''}" for one in effects]
        for _, effects in list_adjudication_effects(decisions)
    ] == expected
