"""Advice is a function of the facts: neither their order nor earlier queries change it."""

from dataclasses import replace
from random import Random

import pytest

from services.runtime.canonical_json import write_canonical
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
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
ADVISING_RULES = replace(RULES, protocol=PROTOCOL)
FEW_SEEDS, ALL_SEEDS = range(3), range(25)
SEEDS = [
    *FEW_SEEDS,
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in ALL_SEEDS if seed not in FEW_SEEDS),
]


def make_families(facts):
    return [LinkedParticipants(group, ADVISING_RULES) for group in link_participants(PEOPLE, facts)]


def write_advice(trial_families, hour):
    return [
        write_canonical(fold.find_advice(hours(hour)))
        for family in trial_families
        for member in family.members
        if (fold := family.find_fold(member)) is not None
    ]


def advise(facts, messages, asked_after=()):
    """Advice after all messages; it is also computed after each that *asked_after* numbers."""
    trial_families = make_families(facts)
    for number, (subject, facts_of_message) in enumerate(messages):
        next(family for family in trial_families if subject in family.members).receive(
            subject, facts_of_message
        )
        if number in asked_after:
            write_advice(trial_families, number)
    return write_advice(trial_families, 2000)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_repeats_and_what_was_asked_before_change_nothing(seed):
    facts, chance = trial(seed), Random(seed)
    plain = advise(facts, [(one.subject, [one]) for one in facts])
    for _ in range(5):
        messages = shuffle_messages(facts, chance)
        asked_after = set(chance.sample(range(len(messages)), 8))
        assert advise(facts, messages, asked_after) == plain


def test_the_trials_that_are_drawn_recommend_something_of_each_kind():
    text = "".join(
        line
        for seed in ALL_SEEDS
        for line in advise(trial(seed), [(f.subject, [f]) for f in trial(seed)])
    )
    for kind in ("dose", "hys_law", "deviation"):
        assert f'"kind":"{kind}"' in text
