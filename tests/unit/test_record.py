"""A record at the very instants at which its run begins and ends."""

from datetime import timedelta
from functools import partial

import pytest

from services.safety_rules.domain.episodes.record import (
    CRS,
    CriterionLabel,
    ParticipantBackground,
    link_to_crs,
    make_record,
)
from services.safety_rules.domain.episodes.seriousness import propose_seriousness
from services.safety_rules.domain.facts.anchors import Anchors
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.episode import Change, EpisodeState, Span
from services.vocabulary.grade import Grade
from services.vocabulary.judgement import Adjudication, Verdict
from tests.helpers.fact_notes import fact, hours
from tests.helpers.protocols import PROTOCOL

ANEMIA = CriterionLabel("ctcae-5.0.anemia", "Anemia", Grade.NONE, is_laboratory=True)
FEVER = CriterionLabel("ctcae-5.0.fever", "Fever", Grade.NONE)
SYNDROME = CriterionLabel(CRS, "Cytokine release syndrome", Grade.NONE)
MICROSECOND = timedelta(microseconds=1)
ONSET, RESOLUTION, NEXT_ONSET = hours(0), hours(48), hours(90)

# an instant, and whether a run from hour 0 to hour 48 has it
RESOLVED_RUN = {
    "just before the onset": (ONSET - MICROSECOND, False),
    "at the onset": (ONSET, True),
    "just after the onset": (ONSET + MICROSECOND, True),
    "just before the resolution": (RESOLUTION - MICROSECOND, True),
    "at the resolution": (RESOLUTION, False),
    "just after the resolution": (RESOLUTION + MICROSECOND, False),
}
# the same of a run that nobody saw the end of, where the next one begins at hour 90
UNRESOLVED_RUN = {
    "just before the next onset": (NEXT_ONSET - MICROSECOND, True),
    "at the next onset": (NEXT_ONSET, False),
    "just after the next onset": (NEXT_ONSET + MICROSECOND, False),
}
CASES = [
    *(pytest.param(RESOLUTION, *case, id=name) for name, case in RESOLVED_RUN.items()),
    *(pytest.param(None, *case, id=name) for name, case in UNRESOLVED_RUN.items()),
]
each_instant = pytest.mark.parametrize(("resolved_at", "instant", "is_inside"), CASES)


def record(resolved_at, *facts, label=ANEMIA, onset_at=ONSET, grade=3, **anchors):
    person = ParticipantBackground("P-001", Anchors(**anchors))
    for other_fact in facts:
        person.change(other_fact, stands=True)
    history = (Change(onset_at, Span(Grade(grade), Grade(grade)), ""),)
    episode_run = GradeRun(onset_at, history, onset_at, resolved_at=resolved_at)
    return make_record(label, episode_run, NEXT_ONSET, person, PROTOCOL)


@each_instant
def test_an_adjudication_is_of_the_record_whose_run_has_its_instant(
    resolved_at, instant, is_inside
):
    verdict = Adjudication(ANEMIA.criterion, Verdict.REJECT, "Dr A", "bleeding", hours(200))
    state = record(resolved_at, fact(verdict, instant)).state
    assert state is (EpisodeState.REJECTED if is_inside else EpisodeState.SUSPECTED)


@each_instant
@pytest.mark.parametrize("destination", ["icu", "admission"])
def test_a_stay_in_hospital_makes_serious_what_runs_when_it_begins(
    destination, resolved_at, instant, is_inside
):
    serious = record(resolved_at, fact(Movement(destination), instant)).serious
    assert serious == (("hospitalization",) if is_inside else ())


HOURS_TO_COURSE = {  # from an admission to the start of a course, and whether it is planned
    "a moment after the start": (-MICROSECOND, False),
    "at the start": (MICROSECOND * 0, True),
    "48 h before it": (timedelta(hours=48), True),
    "earlier": (timedelta(hours=48) + MICROSECOND, False),
}


@pytest.mark.parametrize(
    ("hours_to_course", "is_planned"), HOURS_TO_COURSE.values(), ids=HOURS_TO_COURSE
)
def test_an_admission_for_the_infusion_is_no_reason(hours_to_course, is_planned):
    admission = fact(Movement("admission"), ONSET)
    courses = (ONSET + hours_to_course,)
    serious = record(RESOLUTION, admission, courses=courses).serious
    assert serious == (() if is_planned else ("hospitalization",))


@pytest.mark.parametrize("hours_to_course", [None, 0, 24, 72])
@pytest.mark.parametrize("planned", [True, False])
def test_what_the_sender_says_of_an_admission_decides(hours_to_course, planned):
    admission = fact(Movement("admission", planned=planned), ONSET)
    courses = () if hours_to_course is None else (ONSET + timedelta(hours=hours_to_course),)
    serious = record(RESOLUTION, admission, courses=courses).serious
    assert serious == (() if planned else ("hospitalization",))


def test_intensive_care_is_a_reason_even_before_an_infusion():
    stay = fact(Movement("icu"), ONSET)
    assert record(RESOLUTION, stay, courses=(ONSET,)).serious == ("hospitalization",)


@pytest.mark.parametrize("destination", ["ward", "outpatient", "discharge"])
def test_other_movements_are_no_reason(destination):
    assert record(RESOLUTION, fact(Movement(destination), ONSET)).serious == ()


GRADES = {
    "a syndrome": (SYNDROME, 4, ("life-threatening",)),
    "a syndrome of grade 3": (SYNDROME, 3, ()),
    "a laboratory value alone": (ANEMIA, 4, ()),
    "a death": (ANEMIA, 5, ("death",)),
}


@pytest.mark.parametrize(("label", "grade", "serious"), GRADES.values(), ids=GRADES)
def test_grade_4_is_life_threatening_unless_a_laboratory_value_is_all_that_says_so(
    label, grade, serious
):
    assert record(RESOLUTION, label=label, grade=grade).serious == serious


def test_a_laboratory_term_that_a_clinician_graded_4_is_life_threatening():
    history = (Change(ONSET, Span(Grade(4), Grade(4)), "", facts=("a1",)),)
    propose = partial(propose_seriousness, history, has_unplanned_stay=False, is_laboratory=True)
    assert propose({"a1"}) == ("life-threatening",)
    assert propose({"a2"}) == ()


@pytest.mark.parametrize(("instant", "is_inside"), RESOLVED_RUN.values(), ids=RESOLVED_RUN)
def test_a_part_of_crs_begins_while_the_syndrome_lasts(instant, is_inside):
    syndrome = record(RESOLUTION, label=SYNDROME)
    (fever,) = link_to_crs([record(None, label=FEVER, onset_at=instant)], [syndrome])
    assert fever.linked_to == (CRS if is_inside else "")


@pytest.mark.parametrize(
    ("shift", "is_inside"), [(-MICROSECOND, False), (MICROSECOND * 0, True), (MICROSECOND, True)]
)
def test_a_syndrome_that_is_not_over_has_all_parts_from_its_onset_on(shift, is_inside):
    syndrome = record(None, label=SYNDROME)
    (fever,) = link_to_crs([record(None, label=FEVER, onset_at=ONSET + shift)], [syndrome])
    assert fever.linked_to == (CRS if is_inside else "")


def read_history(script):
    """``1@0 2-4@5``: a change of grade at each hour, whose evidence is a fact of that hour."""
    changes = []
    for word in script.split():
        grades, hour = word.split("@")
        low, _, high = grades.partition("-")
        span = Span(Grade(int(low)), Grade(int(high or low)))
        changes.append(Change(hours(float(hour)), span, "as graded", ("ULN",), (f"f{hour}",)))
    return tuple(changes)


def adjudicate(verdict, grade=None, signed=100, by="Dr A", cause=""):
    body = Adjudication(ANEMIA.criterion, verdict, by, "seen", hours(signed), grade, cause)
    return fact(body, ONSET, name=f"{verdict}-{grade}-{signed}-{by}")


def decide(script, *decisions, died_at=None):
    """The record of a run with the grades of *script*, after *decisions*."""
    person = ParticipantBackground("P-001", Anchors())
    for decision in decisions:
        person.change(decision, stands=True)
    run = GradeRun(ONSET, read_history(script), ONSET, died_at=died_at)
    return make_record(ANEMIA, run, None, person, PROTOCOL)


def describe_history(content):
    return " ".join(str(change.span) for change in content.history)


REGRADES = {  # grades of a run, the grade that a person gives it; the grades of its record
    "down": ("1@0 3@1 2@2", 2, "1 2 2"),
    "to the least of them": ("1@0 3@1 2@2", 1, "1 1 1"),
    "to none": ("1@0 3@1", 0, "0 0"),
    "up": ("1@0 3@1 2@2", 4, "1 4 2"),
    "to what it is": ("1@0 3@1", 3, "1 3"),
    "two that are the worst": ("3@0 1@1 3@2", 2, "2 1 2"),
    "an interval that is the worst": ("2-4@0 1@1", 3, "3 1"),
    "an interval beside the worst": ("3@0 1-4@1", 2, "2 1-2"),
    "to 5, and nobody died": ("1@0 3@1", 5, "1 3-5"),
}


@pytest.mark.parametrize(("script", "grade", "expected"), REGRADES.values(), ids=REGRADES)
def test_a_grade_that_a_person_gives_replaces_the_worst_and_caps_the_others(
    script, grade, expected
):
    regrade = adjudicate(Verdict.REGRADE, grade)
    content = decide(script, regrade)
    assert (describe_history(content), content.state) == (expected, EpisodeState.CONFIRMED)
    history = read_history(script)
    worst = max(change.span.at_least for change in history)
    for change, graded_change in zip(content.history, history, strict=True):
        is_worst = graded_change.span.at_least == worst
        assert change.because == ("regraded by Dr A: seen" if is_worst else "as graded")
        assert change.facts == (*graded_change.facts, *([regrade.id] if is_worst else []))
        assert change.missing == (("death",) if grade == 5 else ()) if is_worst else ("ULN",)


CONFIRM, REJECT = adjudicate(Verdict.CONFIRM, signed=10), adjudicate(Verdict.REJECT, signed=11)
TWO, THREE = adjudicate(Verdict.REGRADE, 2, 20), adjudicate(Verdict.REGRADE, 3, 21)
DRUG = adjudicate(Verdict.ATTRIBUTE, signed=30, cause="the study drug")
OTHER_CAUSE = adjudicate(Verdict.ATTRIBUTE, signed=31, cause="bleeding")
SAME_TIME = adjudicate(Verdict.CONFIRM, signed=11, by="Dr B")
DECISIONS = {  # decisions; grades, state, attribution
    "none": ((), "1 4", EpisodeState.SUSPECTED, ""),
    "confirmed": ((CONFIRM,), "1 4", EpisodeState.CONFIRMED, ""),
    "rejected": ((REJECT,), "1 4", EpisodeState.REJECTED, ""),
    "confirmed, then rejected": ((CONFIRM, REJECT), "1 4", EpisodeState.REJECTED, ""),
    "rejected, then regraded": ((REJECT, TWO), "1 2", EpisodeState.CONFIRMED, ""),
    "regraded twice": ((TWO, THREE), "1 3", EpisodeState.CONFIRMED, ""),
    "of one time of signing, the later signer": (
        (REJECT, SAME_TIME), "1 4", EpisodeState.CONFIRMED, "",
    ),
    "attributed": ((DRUG,), "1 4", EpisodeState.SUSPECTED, "the study drug"),
    "attributed twice": ((DRUG, OTHER_CAUSE), "1 4", EpisodeState.SUSPECTED, "bleeding"),
    "regraded and attributed": ((THREE, DRUG), "1 3", EpisodeState.CONFIRMED, "the study drug"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("decisions", "grades", "state", "attribution"), DECISIONS.values(), ids=DECISIONS
)
def test_decisions_apply_in_the_order_of_signing(decisions, grades, state, attribution):
    for order in (decisions, decisions[::-1]):
        content = decide("1@0 4@1", *order)
        assert describe_history(content) == grades
        assert (content.state, content.attribution) == (state, attribution)
        assert content.adjudications == tuple(sorted(one.id for one in decisions))


def test_an_adjudication_that_is_taken_back_counts_no_more():
    person = ParticipantBackground("P-001", Anchors())
    for decision in (CONFIRM, REJECT):
        person.change(decision, stands=True)
    person.change(REJECT, stands=False)
    run = GradeRun(ONSET, read_history("1@0"), ONSET)
    assert make_record(ANEMIA, run, None, person, PROTOCOL).state is EpisodeState.CONFIRMED


def test_a_record_ends_with_the_death_that_was_adjudicated_to_it():
    content = decide("1@0 3@1", died_at=hours(9))
    assert describe_history(content) == "1 3 5"
    assert content.history[-1].at == hours(9)
    assert (content.state, content.current) == (
        EpisodeState.CONFIRMED,
        Span(Grade.DEATH, Grade.DEATH),
    )


def test_a_record_that_is_over_has_no_grade_now():
    assert record(RESOLUTION).current == Span(Grade.NONE, Grade.NONE)
    assert record(None).current == record(None).worst == Span(Grade(3), Grade(3))
