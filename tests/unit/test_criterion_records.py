"""Records are made anew where their run has changed, and nowhere else."""

from dataclasses import replace

from services.safety_rules.domain.episodes.criterion_records import CriterionRecords
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade
from tests.helpers.dosing_course import record
from tests.helpers.fact_notes import hours

GRADE_2 = Span(Grade(2), Grade(2))


def make_run(onset, resolution_hour=None):
    onset_at = hours(onset)
    resolved_at = None if resolution_hour is None else hours(resolution_hour)
    return GradeRun(onset_at, (Change(onset_at, GRADE_2, ""),), onset_at, resolved_at=resolved_at)


class Records:
    """Makes a record of each run, and remembers of which it was asked."""

    def __init__(self):
        self.runs = []
        self.because = ""

    def __call__(self, run, next_onset_at):
        self.runs.append((run.onset_at, next_onset_at))
        content = record("ctcae-5.0.anemia", "2@0")
        return replace(content, onset_at=run.onset_at, attribution=self.because)

    def take_runs(self):
        runs, self.runs = self.runs, []
        return runs


def test_a_run_that_ends_is_said_anew_and_those_before_it_are_not():
    group, make = CriterionRecords(Grade.NONE), Records()
    first, second = make_run(0, 5), make_run(10)
    assert group.update_runs([first], 0, second, make)
    first_record = group.records[0]
    make.take_runs()
    resolved_run = make_run(10, 12)
    assert group.update_runs([first, resolved_run], 1, None, make)
    assert make.take_runs() == [(hours(10), None)]
    assert group.records[0] is first_record


def test_without_a_run_nothing_has_changed_from_the_first():
    group, make = CriterionRecords(Grade.NONE), Records()
    assert not group.update_runs([], 0, None, make)
    assert (group.records, make.take_runs()) == ((), [])


def test_nothing_is_said_anew_when_nothing_has_changed():
    group, make = CriterionRecords(Grade.NONE), Records()
    group.update_runs([make_run(0, 5)], 0, make_run(10), make)
    make.take_runs()
    assert not group.update_runs([make_run(0, 5)], 1, make_run(10), make)
    assert make.take_runs() == []


def test_a_run_that_nobody_saw_the_end_of_reaches_to_the_next_one():
    group, make = CriterionRecords(Grade.NONE), Records()
    open_run, later = make_run(0), make_run(500)
    group.update_runs([open_run], 0, None, make)
    make.take_runs()
    group.update_runs([open_run], 1, later, make)
    assert make.take_runs() == [(hours(0), hours(500)), (hours(500), None)]


def test_what_is_said_beside_the_runs_reaches_the_run_of_its_time():
    group, make = CriterionRecords(Grade.NONE), Records()
    runs = [make_run(0, 5), make_run(10, 15), make_run(20, 25)]
    group.update_runs(runs, 0, None, make)
    make.take_runs()
    make.because = "the study drug"
    assert group.update_runs(runs, 3, None, make, [(hours(12), hours(12))])
    assert make.take_runs() == [(hours(10), hours(20))]
    assert [one.attribution for one in group.records] == ["", "the study drug", ""]


def test_a_record_knows_its_run_until_there_is_none():
    group, make = CriterionRecords(Grade.NONE), Records()
    group.update_runs([make_run(0, 5)], 0, None, make)
    (open_record,) = group.records
    assert group.find_run(open_record) == make_run(0, 5)
    group.update_runs([], 0, None, make)
    assert group.find_run(open_record) is None
    assert group.records == ()
