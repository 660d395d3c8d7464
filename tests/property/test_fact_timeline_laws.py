"""A changed timeline has the state and the runs of a new timeline with the same facts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.grade_runs.fact_timeline import FactTimeline
from services.safety_rules.domain.grade_runs.grade_run import GradeRun
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import hours, lab

FIRST_HOURS = range(0, 10, 2)  # hours at which there is a fact from the beginning
CHANGE = st.tuples(
    st.sampled_from(("insert", "insert", "remove", "look up", "restart")),
    st.integers(0, 10),
    st.sampled_from((0, 1, 3, 5)),
)
CHANGES = st.lists(st.lists(CHANGE, min_size=1, max_size=4), max_size=4)


def fact_at(hour, number=0):
    return lab("alt", "30", hours(hour), name=f"{hour}-{number}")


def make_step(looked_up, from_noon=0):
    """A step that forgets each fact after the next instant, but never its running count.

    A fact of number 5 alone makes everything as it was at the beginning.
    """

    def step(state, instant, facts):
        count, size, _ = state
        count += sum(fact.id.endswith("-3") for fact in facts) + looked_up.get(instant, 0)
        count += from_noon * (instant >= hours(4))
        if all(fact.id.endswith("-5") for fact in facts):
            return INITIAL, None
        return (count, len(facts), size), find_ended_run(instant, count, facts)

    return step


def find_ended_run(instant, count, facts):
    """A run ends wherever there are two facts; it has as many changes as had been counted."""
    change = Change(instant, Span(Grade.MILD, Grade.MILD), "")
    return GradeRun(instant, (change,) * count, instant) if len(facts) > 1 else None


INITIAL = (0, 0, 0)


@settings(max_examples=500, deadline=None)
@given(CHANGES)
def test_a_track_is_a_function_of_the_facts_that_stand(rounds):
    looked_up = {}
    step = make_step(looked_up)
    standing = {fact.id: fact for fact in map(fact_at, FIRST_HOURS)}
    timeline = FactTimeline(INITIAL, step)
    for fact in standing.values():
        timeline.insert(fact)
    earlier_runs = []
    for changes in [[], *rounds]:
        for kind, hour, number in changes:
            fact = fact_at(hour, number)
            if kind == "insert" and fact.id not in standing:
                standing[fact.id] = fact
                timeline.insert(fact)
            elif kind == "remove" and fact.id in standing:
                timeline.remove(standing.pop(fact.id))
            elif kind == "look up":
                looked_up[fact.observed_at] = number
                timeline.step_again(fact.observed_at)
            elif kind == "restart":
                step = make_step(looked_up, number)
                timeline.restart(INITIAL, step)
        fresh_timeline = FactTimeline(INITIAL, step)
        for fact in sorted(standing.values(), key=lambda f: (f.observed_at, f.id)):
            fresh_timeline.insert(fact)
        assert timeline.compute_state() == fresh_timeline.compute_state()
        assert timeline.list_facts() == fresh_timeline.list_facts()
        ended_runs, as_told = timeline.list_ended_runs()
        assert ended_runs == fresh_timeline.list_ended_runs()[0]
        assert ended_runs[:as_told] == earlier_runs[:as_told]
        earlier_runs = list(ended_runs)


# changes of thirty facts, two hours apart; the number of instants stepped through again
STEPS = {
    "nothing": ([], 0),
    "one more at an instant": ([("insert", 6, 1)], 3),  # its own, the next, the one after that
    "one at an instant of its own": ([("insert", 5, 1)], 2),
    "one that is never forgotten": ([("insert", 5, 3)], 1 + 27),
    "two": ([("insert", 5, 0), ("insert", 3, 0)], 4),
    "the first removed": ([("remove", 0, 0)], 2),  # the next remembered it
    "one removed": ([("remove", 6, 0)], 1),
    "the last removed": ([("remove", 58, 0)], 0),
    "the first looked up": ([("look up", 0, 0)], 1),
    "one looked up": ([("look up", 6, 6)], 1),
    "two looked up": ([("look up", 5, 8)], 2),
    "none looked up": ([("look up", 5, 5)], 0),
    "all from one on looked up": ([("look up", 6, None)], 27),
    "all from after the last on": ([("look up", 59, None)], 0),
}


@pytest.mark.parametrize(("changes", "steps"), STEPS.values(), ids=STEPS)
def test_a_change_steps_again_through_what_it_may_change_alone(changes, steps):
    stepped_instants = []

    def step(state, instant, facts):
        stepped_instants.append(instant)
        return make_step({})(state, instant, facts)

    timeline = FactTimeline(INITIAL, step)
    assert timeline.list_ended_runs() == ([], 0)
    for hour in range(0, 60, 2):
        timeline.insert(fact_at(hour))
    timeline.compute_state()
    stepped_instants.clear()
    for kind, hour, last in changes:
        if kind == "look up":
            timeline.step_again(hours(hour), None if last is None else hours(last))
        else:
            change = timeline.insert if kind == "insert" else timeline.remove
            change(fact_at(hour, last))
    timeline.compute_state()
    assert len(stepped_instants) == steps
