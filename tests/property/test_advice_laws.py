"""What is recommended is a function of the facts: never of their order, nor of what was asked."""

from dataclasses import replace
from random import Random

import pytest

from services.runtime import wire
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
    link_participants,
)
from tests.helpers.dosing_course import load_trial_rules
from tests.helpers.fact_notes import hours
from tests.helpers.random_trials import PEOPLE, RULES, shuffle_messages, trial

OF_TRIAL = load_trial_rules().protocol
PROTOCOL = replace(
    RULES.protocol,
    term_sets={**RULES.protocol.term_sets, **OF_TRIAL.term_sets},
    dosing=OF_TRIAL.dosing,
    hys_law=OF_TRIAL.hys_law,
    deviations=OF_TRIAL.deviations,
)
KNOWN = replace(RULES, protocol=PROTOCOL)
FEW, ALL = range(3), range(25)
SEEDS = [*FEW, *(pytest.param(seed, marks=pytest.mark.slow) for seed in ALL if seed not in FEW)]


def family_of(facts):
    return [LinkedParticipants(group, KNOWN) for group in link_participants(PEOPLE, facts)]


def advice(found, at):
    return [
        wire.write_canonical(fold.find_advice(hours(at)))
        for family in found
        for member in family.members
        if (fold := family.find_fold(member)) is not None
    ]


def folded(facts, messages, asked=()):
    """What is recommended at the end, having asked after each message numbered in *asked*."""
    found = family_of(facts)
    for number, (subject, together) in enumerate(messages):
        next(family for family in found if subject in family.members).receive(subject, together)
        if number in asked:
            advice(found, number)
    return advice(found, 2000)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_repeats_and_what_was_asked_before_change_nothing(seed):
    facts, chance = trial(seed), Random(seed)
    plain = folded(facts, [(one.subject, [one]) for one in facts])
    for _ in range(5):
        messages = shuffle_messages(facts, chance)
        asked = set(chance.sample(range(len(messages)), 8))
        assert folded(facts, messages, asked) == plain


def test_the_trials_that_are_drawn_recommend_something_of_each_kind():
    said = "".join(
        line
        for seed in ALL
        for line in folded(trial(seed), [(f.subject, [f]) for f in trial(seed)])
    )
    for kind in ("dose", "hys_law", "deviation"):
        assert f'"kind":"{kind}"' in said
