"""Running drugs, last doses, starts and stops: each row is a chart and what it leaves.

``+8`` starts an infusion at that rate, ``~8`` changes the rate, ``-`` stops it; ``40`` is a single
dose, ``40p`` one that the protocol schedules. Every word has its hour behind ``@``.
"""

from itertools import groupby

import pytest

from services.safety_rules.domain.facts.drugs import DrugExposures, is_stop
from services.vocabulary.clinical_fact import Action, Administration, Culture
from tests.helpers.dosing_course import format_hour
from tests.helpers.fact_notes import fact, hours, quantity

ACTIONS = {"+": Action.START, "~": Action.RATE, "-": Action.STOP}


def chart_drug(script, drug="prednisone"):
    """The administrations of *script*, in its order."""
    facts = []
    for number, word in enumerate(script.split()):
        text, hour = word.split("@")
        action = ACTIONS.get(text[0], Action.DOSE)
        amount = text.strip("+~-p")
        body = Administration(
            drug, action, quantity(amount, "mg") if amount else None, scheduled=text.endswith("p")
        )
        facts.append(fact(body, float(hour), name=f"{drug}-{number}"))
    return facts


def apply_chart(facts):
    """The exposures after *facts*, instant by instant."""
    exposures = DrugExposures()
    ordered_facts = sorted(facts, key=lambda one: one.observed_at)
    for _, simultaneous_facts in groupby(ordered_facts, key=lambda one: one.observed_at):
        exposures = exposures.apply_administrations(list(simultaneous_facts))
    return exposures


def describe_exposures(exposures, drug="prednisone"):
    """``runs from 0 by 24; dose 5; daily 5; start 24; stop 3``: what there is, with its hours."""
    running_fact = exposures.running_drugs.get(drug)
    words = []
    if running_fact is not None:
        start = format_hour(exposures.running_since[drug])
        words.append(f"runs from {start} by {format_hour(running_fact.observed_at)}")
    for name, facts in (
        ("dose", exposures.last_doses),
        ("daily", exposures.daily_doses),
        ("start", exposures.last_starts),
    ):
        if drug in facts:
            words.append(f"{name} {format_hour(facts[drug].observed_at)}")
    if drug in exposures.stop_times:
        words.append(f"stop {format_hour(exposures.stop_times[drug])}")
    return "; ".join(words)


TABLE = {
    "nothing": ("", ""),
    "started": ("+8@0", "runs from 0 by 0; start 0"),
    "another rate": ("+8@0 ~16@24", "runs from 0 by 24; start 0"),
    "a start that was lost": ("~16@24", "runs from 24 by 24"),
    "a rate of zero": ("+8@0 ~0@24", "start 0; stop 24"),
    "stopped": ("+8@0 -@24", "start 0; stop 24"),
    "stopped twice": ("+8@0 -@24 -@30", "start 0; stop 30"),
    "a new bag": ("+8@0 -@24 +8@24", "runs from 0 by 24; start 24; stop 24"),
    "a new bag, charted the other way round": (
        "+8@0 +8@24 -@24", "runs from 0 by 24; start 24; stop 24",
    ),
    "a new bag without a stop": ("+8@0 +8@24", "runs from 0 by 24; start 24"),
    "on after a pause": ("+8@0 -@24 +8@30", "runs from 30 by 30; start 30; stop 24"),
    "one dose": ("40@0", "dose 0; start 0"),
    "two doses 36 h apart": ("40@0 40@36", "dose 36; daily 36; start 36"),
    "two doses further apart": ("40@0 40@36.1", "dose 36.1; start 36.1"),
    "a daily dose that was missed": ("40@0 40@24 40@72", "dose 72; start 72"),
    "daily again": ("40@0 40@24 40@72 40@96", "dose 96; daily 96; start 96"),
    "a planned dose": ("40@0 40p@24", "dose 24; start 24"),
    "after a planned dose": ("40p@0 40@24", "dose 24; start 24"),
    "two after a planned dose": ("40p@0 40@24 40@48", "dose 48; daily 48; start 48"),
    "a dose while it runs": ("+8@0 40@24", "runs from 0 by 0; dose 24; start 24"),
}  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), TABLE.values(), ids=TABLE)
def test_a_chart_leaves_what_runs_and_what_was_given_last(script, expected):
    exposures = apply_chart(chart_drug(script))
    assert describe_exposures(exposures) == expected


def test_each_drug_is_followed_by_itself():
    other_drug = chart_drug("40@0 40@24 +8@25 -@26 +8@27", "dexamethasone")
    exposures = apply_chart([*chart_drug("+8@0 40@3 40@20"), *other_drug])
    assert describe_exposures(exposures) == "runs from 0 by 0; dose 20; daily 20; start 20"
    assert (
        describe_exposures(exposures, "dexamethasone")
        == "runs from 27 by 27; dose 24; daily 24; start 27; stop 26"
    )


@pytest.mark.parametrize(("hour", "is_daily"), [(24, True), (60, True), (60.1, False)])
def test_a_daily_drug_goes_on_for_36_hours_after_its_last_dose(hour, is_daily):
    exposures = apply_chart(chart_drug("40@0 40@24"))
    daily_dose = exposures.find_daily_dose("prednisone", hours(hour))
    assert (daily_dose and daily_dose.id) == ("prednisone-1" if is_daily else None)
    assert exposures.find_daily_dose("dexamethasone", hours(hour)) is None


def test_what_is_no_administration_changes_nothing():
    exposures = apply_chart(chart_drug("+8@0"))
    culture = fact(Culture(positive=True), 1)
    assert exposures.apply_administrations([culture]) is exposures
    assert not is_stop(culture.body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-@0", True),
        ("~0@0", True),
        ("~0.1@0", False),
        ("~@0", False),
        ("+0@0", False),
        ("0@0", False),
    ],
)
def test_a_stop_or_a_rate_of_zero_ends_an_infusion(text, expected):
    (administration,) = chart_drug(text)
    assert is_stop(administration.body) is expected
