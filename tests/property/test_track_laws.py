"""A track says what stepping through all its facts anew would say, whatever was changed when."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.runs.track import FactTrack
from services.vocabulary.episode import Change, Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import hours, lab

WHOLE = range(0, 10, 2)  # hours at which there is a fact from the beginning
CHANGE = st.tuples(
    st.sampled_from(("insert", "insert", "remove", "look up", "restart")),
    st.integers(0, 10),
    st.sampled_from((0, 1, 3)),
)
CHANGES = st.lists(st.lists(CHANGE, min_size=1, max_size=4), max_size=4)


def fact_at(hour, number=0):
    return lab("alt", "30", hours(hour), name=f"{hour}-{number}")


def stepping(looked_up, from_noon=0):
    """A step that forgets a fact after the next instant, but never the sum of what it counts."""

    def step(state, at, facts):
        counted, size, _ = state
        counted += sum(fact.id.endswith("-3") for fact in facts) + looked_up.get(at, 0)
        counted += from_noon * (at >= hours(4))
        return (counted, len(facts), size), ended_at(at, counted, facts)

    return step


def ended_at(at, counted, facts):
    """A run ends wherever there are two facts; it has as many changes as had been counted."""
    change = Change(at, Span(Grade.MILD, Grade.MILD), "")
    return Run(at, (change,) * counted, at) if len(facts) > 1 else None


INITIAL = (0, 0, 0)


@settings(max_examples=500, deadline=None)
@given(CHANGES)
def test_a_track_is_a_function_of_the_facts_that_stand(rounds):
    looked_up = {}
    step = stepping(looked_up)
    standing = {fact.id: fact for fact in map(fact_at, WHOLE)}
    track = FactTrack(INITIAL, step)
    for fact in standing.values():
        track.insert(fact)
    told = []
    for changes in [[], *rounds]:
        for what, hour, number in changes:
            fact = fact_at(hour, number)
            if what == "insert" and fact.id not in standing:
                standing[fact.id] = fact
                track.insert(fact)
            elif what == "remove" and fact.id in standing:
                track.remove(standing.pop(fact.id))
            elif what == "look up":
                looked_up[fact.observed_at] = number
                track.step_again(fact.observed_at)
            elif what == "restart":
                step = stepping(looked_up, number)
                track.restart(INITIAL, step)
        anew = FactTrack(INITIAL, step)
        for fact in sorted(standing.values(), key=lambda f: (f.observed_at, f.id)):
            anew.insert(fact)
        assert track.compute_state() == anew.compute_state()
        assert track.list_facts() == anew.list_facts()
        ended, as_told = track.list_ended_runs()
        assert ended == anew.list_ended_runs()[0]
        assert ended[:as_told] == told[:as_told]
        told = list(ended)


def steps_for(late):
    """How many instants are stepped through again when *late* comes after thirty others."""
    asked = []

    def step(state, at, facts):
        asked.append(at)
        return stepping({})(state, at, facts)

    track = FactTrack(INITIAL, step)
    for hour in range(0, 60, 2):
        track.insert(fact_at(hour))
    track.compute_state()
    asked.clear()
    track.insert(late)
    track.compute_state()
    return len(asked)


def test_a_late_fact_that_is_soon_forgotten_re_runs_little():
    assert steps_for(fact_at(6, 1)) == 3  # its own, the one that remembers it, the one after that


def test_a_late_fact_that_is_never_forgotten_re_runs_all_that_follows():
    assert steps_for(fact_at(5, 3)) == 1 + 27
