"""A rule that is watched says at each look what is said of the same standings at once."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.watched_rule import WatchedRule
from services.vocabulary.judgement import Answer, Determination
from services.vocabulary.standing import CountedEvent, ObservedStanding, Standing
from tests.helpers.protocols import CRS, PROTOCOL
from tests.property.test_live_figures import START

RULE = replace(CRS, stop_when=replace(CRS.stop_when, n=3, boundary=CRS.stop_when.boundary[:1]))
NAMES = [f"P-{k}" for k in range(5)]
DAYS = st.integers(0, 40)
MAYBE = st.one_of(st.none(), DAYS)


def find_instant(day):
    return None if day is None else START + timedelta(days=day)


@st.composite
def standings(draw):
    """A participant at one look; events, withdrawal and exposure may be still to come."""
    name = draw(st.sampled_from(NAMES))
    entry, event, upper, frozen, last = (draw(days) for days in (MAYBE, MAYBE, MAYBE, MAYBE, DAYS))
    is_uncountable = entry is None and draw(st.booleans())
    events = [
        day if day is None else CountedEvent(find_instant(day), "crs", 3, draw(st.booleans()))
        for day in (event, upper)
    ]
    has_entered = entry is not None
    standing = Standing(
        name,
        RULE.id,
        find_instant(entry),
        find_instant(entry + 20) if has_entered else None,
        frozen_at=find_instant(frozen),
        event=events[0] if has_entered else None,
        confirmed=events[0] if has_entered and events[0] and events[0].confirmed else None,
        upper=events[1] if has_entered or is_uncountable else None,
        missing_anchor="transplant" if is_uncountable else "",
        merged_into="P-9" if draw(st.integers(0, 9)) == 0 else "",
    )
    return ObservedStanding(standing, find_instant(last))


LOOKS = st.lists(st.tuples(st.one_of(st.none(), standings()), st.integers(0, 3)), min_size=1)
POLICIES = st.sampled_from(["onset_weighted", "linear", "complete", "everyone_treated"])
STATUSES = st.sampled_from(["not_rejected", "confirmed"])
ENDS = st.sampled_from(["lowest", "highest"])


@settings(deadline=None, max_examples=300)
@given(LOOKS, POLICIES, st.sampled_from([(), (2, 3)]), STATUSES, ENDS)
def test_each_look_is_that_of_all_standings_at_once(looks, policy, sizes, status, end):
    rule = replace(RULE, policy=policy, looks=sizes, status=status, if_a_grade_is_incomplete=end)
    watched_rule, latest, day = WatchedRule(PROTOCOL, rule), {}, 0
    for change, days in looks:
        day += days
        if change is not None:
            latest[change.standing.participant] = change
            watched_rule.put(change)
        expected = decide_rule(PROTOCOL, rule, [*latest.values()], find_instant(day))
        assert watched_rule.decide(find_instant(day)) == expected


def test_an_answer_of_the_dsmb_counts_at_once():
    watched_rule = WatchedRule(PROTOCOL, RULE)
    assert watched_rule.decide(START).determination == ""
    answer = Determination(RULE.id, "", Answer.CONTINUE, "chair", "as planned", 0)
    assert watched_rule.decide(START, answer).determination == "continue"
