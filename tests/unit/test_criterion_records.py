"""Records are made anew where their run has changed, and nowhere else."""

from dataclasses import replace

from services.safety_rules.domain.episodes.criterion_records import CriterionRecords
from services.safety_rules.domain.runs.run import Run
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade
from tests.helpers.dosing_course import record
from tests.helpers.fact_notes import hours

GRADE_2 = Span(Grade(2), Grade(2))


def run(onset, resolved=None):
    at = hours(onset)
    ended = None if resolved is None else hours(resolved)
    return Run(at, (Change(at, GRADE_2, ""),), at, resolved_at=ended)


class Records:
    """Makes a record of each run, and remembers of which it was asked."""

    def __init__(self):
        self.made = []
        self.because = ""

    def __call__(self, one, before):
        self.made.append((one.onset_at, before))
        made = record("ctcae-5.0.anemia", "2@0")
        return replace(made, onset_at=one.onset_at, attribution=self.because)

    def taken(self):
        made, self.made = self.made, []
        return made


def test_a_run_that_ends_is_said_anew_and_those_before_it_are_not():
    group, make = CriterionRecords(Grade.NONE), Records()
    first, second = run(0, 5), run(10)
    assert group.update_runs([first], 0, second, make)
    kept = group.records[0]
    make.taken()
    over = run(10, 12)
    assert group.update_runs([first, over], 1, None, make)
    assert make.taken() == [(hours(10), None)]
    assert group.records[0] is kept


def test_nothing_is_said_anew_when_nothing_has_changed():
    group, make = CriterionRecords(Grade.NONE), Records()
    group.update_runs([run(0, 5)], 0, run(10), make)
    make.taken()
    assert not group.update_runs([run(0, 5)], 1, run(10), make)
    assert make.taken() == []


def test_a_run_that_nobody_saw_the_end_of_reaches_to_the_next_one():
    group, make = CriterionRecords(Grade.NONE), Records()
    unresolved, later = run(0), run(500)
    group.update_runs([unresolved], 0, None, make)
    make.taken()
    group.update_runs([unresolved], 1, later, make)
    assert make.taken() == [(hours(0), hours(500)), (hours(500), None)]


def test_what_is_said_beside_the_runs_reaches_the_run_of_its_time():
    group, make = CriterionRecords(Grade.NONE), Records()
    ended = [run(0, 5), run(10, 15), run(20, 25)]
    group.update_runs(ended, 0, None, make)
    make.taken()
    make.because = "the study drug"
    assert group.update_runs(ended, 3, None, make, [(hours(12), hours(12))])
    assert make.taken() == [(hours(10), hours(20))]
    assert [one.attribution for one in group.records] == ["", "the study drug", ""]


def test_a_record_knows_its_run_until_there_is_none():
    group, make = CriterionRecords(Grade.NONE), Records()
    group.update_runs([run(0, 5)], 0, None, make)
    (said,) = group.records
    assert group.find_run(said) == run(0, 5)
    group.update_runs([], 0, None, make)
    assert group.find_run(said) is None
    assert group.records == ()
