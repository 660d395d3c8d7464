"""Laws of every bedside course of CRS and ICANS, in whatever order it was charted."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.runtime.measures import load_measures
from services.safety_rules.domain.grade_runs.fact_timeline import FactTimeline
from services.safety_rules.domain.syndromes import crs, icans
from services.safety_rules.domain.syndromes.bedside import BedsideContext
from tests.helpers.bedside_notes import find_runs, read_course
from tests.helpers.protocols import PROTOCOL

VITALS = (
    "T36.8 T37.9 T38.0 T39.5 T<39 T98.6 BP120 BP89 BP<95 RA NC NC@3 NC@8 HFNC@40 NRB VENT F35 F50"
)
DRUGS = (
    "+norepinephrine -norepinephrine ~norepinephrine=0 +vasopressin +epinephrine -epinephrine"
    " fluid-bolus acetaminophen tocilizumab dexamethasone=10 premed:dexamethasone=20"
    " prednisone=40 +blinatumomab -blinatumomab oxygen-device:tent discharged"
)
NEURO = (
    "ICE10 ICE7 ICE0 ICE0.5 ICE11 CAPD9 spontaneous voice unarousable arousal:sleepy"
    " seizure:brief seizure:none motor:deep-focal edema:diffuse sedation:yes sedation:no"
    " intracranial-hemorrhage:yes"
)
WORDS = f"{VITALS} {DRUGS} {NEURO}".split()
CHARTS = st.lists(st.tuples(st.integers(0, 160), st.sampled_from(WORDS)), max_size=30)
SYNDROMES = pytest.mark.parametrize("syndrome", [crs, icans])
EMPTY_CONTEXT = BedsideContext()


def read_chart(chart):
    """At most one part for each hour, after the start of the infusion."""
    hours = {}
    for hour, word in chart:
        hours.setdefault(hour, []).append(word)
    return read_course(
        "-1 +blinatumomab;" + ";".join(f"{h} {' '.join(w)}" for h, w in hours.items())
    )


@SYNDROMES
@settings(max_examples=60, deadline=None)
@given(chart=CHARTS, chance=st.randoms(use_true_random=False))
def test_the_order_in_which_facts_arrive_does_not_matter(syndrome, chart, chance):
    facts = [one for one in read_chart(chart) if syndrome.reads_fact(one, PROTOCOL)]
    expected = find_runs(syndrome, facts, PROTOCOL, EMPTY_CONTEXT)
    timeline = FactTimeline(
        syndrome.make_initial_state(PROTOCOL, load_measures(), EMPTY_CONTEXT), syndrome.step_state
    )
    mistaken = [one for one in facts if chance.random() < 0.2]
    for fact in chance.sample(facts, len(facts)):
        timeline.insert(fact)
        if chance.random() < 0.3:
            timeline.compute_state()
    for fact in mistaken:
        timeline.remove(fact)
    timeline.compute_state()
    for fact in mistaken:
        timeline.insert(fact)
    open_run = syndrome.find_open_run(timeline.compute_state())
    assert (*timeline.list_ended_runs()[0], *([open_run] if open_run else [])) == expected


@SYNDROMES
@settings(max_examples=100, deadline=None)
@given(chart=CHARTS)
def test_every_episode_is_whole(syndrome, chart):
    runs = find_runs(syndrome, read_chart(chart), PROTOCOL, EMPTY_CONTEXT)
    for syndrome_run in runs:
        instants = [change.at for change in syndrome_run.history]
        spans = [change.span for change in syndrome_run.history]
        assert instants == sorted(set(instants))
        first_certain = next((n for n, span in enumerate(spans) if span.at_least), 0)
        assert instants[first_certain] == syndrome_run.onset_at
        assert instants[0] == syndrome_run.onset_at or syndrome_run.onset_not_before <= instants[0]
        assert all(0 <= span.at_least <= span.at_most <= 4 for span in spans)
        assert all(one != other for one, other in pairwise(spans))
        is_uncertain = all(span.at_least == 0 for span in spans)
        assert syndrome_run.possible == is_uncertain or syndrome_run.outside_inducer_window
        if syndrome_run.resolved_at:
            assert instants[-1] < syndrome_run.resolved_at
            if syndrome_run.resolved_not_before:
                earliest_end = syndrome_run.resolved_not_before
                assert syndrome_run.onset_at < earliest_end < syndrome_run.resolved_at
        for span in syndrome_run.other_scales.values():
            assert 0 <= span.at_least <= span.at_most <= 4
        assert [bool(change.missing) for change in syndrome_run.history] == [
            span.at_least < span.at_most for span in spans
        ]
    for syndrome_run, next_run in pairwise(runs):
        assert syndrome_run.last_evidence_at <= next_run.onset_at
        assert syndrome_run.resolved_at is None or syndrome_run.resolved_at <= next_run.onset_at


COMPLETIONS = {  # what leaves a grade open, and everything that would settle it
    "NC": ["NC@1", "NC@6", "NC@7", "NC@60"],
    "oxygen-device:tent": ["RA", "NC@3", "MASK", "VENT"],
    "BP<95": ["BP94", "BP90", "BP89"],
    "ICE0": ["ICE0 spontaneous", "ICE0 tactile", "ICE0 unarousable"],
    "voice": ["voice ICE10", "voice ICE5", "voice ICE0"],
    "seizure:brief": ["seizure:brief ICE10", "seizure:brief ICE0 unarousable"],
    "ICE11 spontaneous": ["ICE10 spontaneous", "ICE4 spontaneous", "ICE0 spontaneous"],
    "ICE0 sedation:yes": ["ICE10", "ICE0 unarousable"],
}


@pytest.mark.parametrize("open_word", COMPLETIONS)
def test_an_interval_is_tight_and_what_is_learnt_lies_in_it(open_word):
    syndrome, prelude = (
        (icans, "-1 +blinatumomab; 2 ")
        if "ICE" in "".join(COMPLETIONS[open_word])
        else (crs, "-1 +blinatumomab BP130 RA; 2 T38.5 ")
    )

    def span(words):
        runs = find_runs(syndrome, read_course(prelude + words), PROTOCOL, EMPTY_CONTEXT)
        return runs[0].history[-1].span if runs else None

    unknown = span(open_word)
    learnt = [span(words) for words in COMPLETIONS[open_word]]
    grades = [0 if one is None else one.at_least for one in learnt]
    assert all(one is None or one.at_least == one.at_most for one in learnt)
    assert (min(grades), max(grades)) == (unknown.at_least, unknown.at_most)
