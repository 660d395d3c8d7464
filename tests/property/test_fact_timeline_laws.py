"""A changed timeline has the state and the runs of a new timeline with the same facts."""

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
    st.sampled_from((0, 1, 3)),
)
CHANGES = st.lists(st.lists(CHANGE, min_size=1, max_size=4), max_size=4)


def fact_at(hour, number=0):
    return lab("alt", "30", hours(hour), name=f"{hour}-{number}")


def make_step(looked_up, from_noon=0):
    """A step that forgets each fact after the next instant, but never its running count."""

    def step(state, instant, facts):
        count, size, _ = state
        count += sum(fact.id.endswith("-3") for fact in facts) + looked_up.get(instant, 0)
        count += from_noon * (instant >= hours(4))
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


def count_steps(late):
    """The number of instants stepped through again when *late* comes after thirty other facts."""
    stepped_instants = []

    def step(state, instant, facts):
        stepped_instants.append(instant)
        return make_step({})(state, instant, facts)

    timeline = FactTimeline(INITIAL, step)
    for hour in range(0, 60, 2):
        timeline.insert(fact_at(hour))
    timeline.compute_state()
    stepped_instants.clear()
    timeline.insert(late)
    timeline.compute_state()
    return len(stepped_instants)


def test_a_late_fact_that_is_soon_forgotten_re_runs_little():
    assert count_steps(fact_at(6, 1)) == 3  # its own, the one that remembers it, the one after that


def test_a_late_fact_that_is_never_forgotten_re_runs_all_that_follows():
    assert count_steps(fact_at(5, 3)) == 1 + 27
