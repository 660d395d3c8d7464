"""Grades of GVHD that endpoints read, once people have decided about records."""

from services.safety_rules.domain.endpoints.gvhd_grades import apply_decisions
from services.safety_rules.domain.grade_runs.join_grades import GradePoint
from services.vocabulary.episode import Change, EpisodeContent, EpisodeState, Span
from services.vocabulary.grade import Grade
from tests.helpers.gvhd_notes import day

ACUTE = "magic-2016.acute-gvhd"


def span(low, high=None):
    return Span(Grade(low), Grade(low if high is None else high))


POINTS = [
    GradePoint(day(number), span(low, high), "", (), ())
    for number, low, high in ((20, 0, 4), (30, 2, 2), (40, 3, 3), (50, 0, 0), (60, 1, 1))
]


def record(*changes, end=None, adjudications=("f1",), **fields):
    history = tuple(Change(day(at), span(grade), "") for at, grade in changes)
    worst = span(max(grade for _, grade in changes))
    return EpisodeContent(
        "P-1", ACUTE, "", history[0].at, history, worst, worst,
        resolved_at=None if end is None else day(end), adjudications=adjudications, **fields,
    )  # fmt: skip


def describe(graded_instants):
    return [((at - day(0)).days, str(span)) for at, span in graded_instants]


EVERY_STAGING = [(20, "0-4"), (30, "2"), (40, "3"), (50, "0"), (60, "1")]


def test_without_a_decision_every_staging_stands():
    assert describe(apply_decisions(POINTS, ())) == EVERY_STAGING
    untouched = record((30, 2), (40, 3), end=50, adjudications=())
    assert describe(apply_decisions(POINTS, [untouched])) == EVERY_STAGING


def test_a_rejected_record_takes_its_stagings_along_and_no_others():
    rejected = record((30, 2), (40, 3), end=50, state=EpisodeState.REJECTED)
    assert describe(apply_decisions(POINTS, [rejected])) == [(20, "0-4"), (50, "0"), (60, "1")]


def test_a_regraded_record_has_its_own_grades():
    regraded = record((30, 1), (40, 1), end=50)
    assert describe(apply_decisions(POINTS, [regraded]))[1:3] == [(30, "1"), (40, "1")]


def test_an_open_record_reaches_to_the_next_one():
    later = record((60, 1), adjudications=())
    rejected = record((30, 2), state=EpisodeState.REJECTED)
    assert describe(apply_decisions(POINTS, [later, rejected])) == [(20, "0-4"), (60, "1")]
    assert describe(apply_decisions(POINTS, [rejected])) == [(20, "0-4")]


def test_a_death_adjudicated_to_it_is_an_event_without_a_staging():
    fatal = record((70, 5), adjudications=())
    assert describe(apply_decisions([], [fatal])) == [(70, "5")]
