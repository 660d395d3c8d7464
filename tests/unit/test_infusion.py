"""Periods of the study drug's infusion: each row is a charted course and the periods it makes."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.facts.infusion import format_rate, trace_infusion
from services.vocabulary.clinical_fact import Action, Administration, Culture
from tests.helpers.dosing_course import format_hour
from tests.helpers.fact_notes import fact, hours, quantity

_ACTIONS = {"start": Action.START, "rate": Action.RATE, "stop": Action.STOP, "given": Action.DOSE}

# what was charted (word, rate in ug/d or -, hour), and from when to when it ran at what rate
TABLE = {
    "nothing": ("", ""),
    "started": ("start 8 0", "0 to now: 8 ug/d"),
    "started and stopped": ("start 8 0, stop - 24", "0 to 24: 8 ug/d"),
    "another rate": ("start 8 0, rate 16 48", "0 to 48: 8 ug/d; 48 to now: 16 ug/d"),
    "a rate of zero": ("start 8 0, rate 0 24", "0 to 24: 8 ug/d"),
    "on after a rate of zero": (
        "start 8 0, rate 0 24, rate 8 30", "0 to 24: 8 ug/d; 30 to now: 8 ug/d, begun",
    ),
    "a start that was lost": ("rate 16 48", "48 to now: 16 ug/d, begun"),
    "a stop alone": ("stop - 24", ""),
    "stopped twice": ("start 8 0, stop - 24, stop - 25", "0 to 24: 8 ug/d"),
    "a new bag": ("start 8 0, stop - 24, start 8 24", "0 to 24: 8 ug/d; 24 to now: 8 ug/d"),
    "a new bag without a stop": ("start 8 0, start 8 24", "0 to 24: 8 ug/d; 24 to now: 8 ug/d"),
    "a pause": ("start 8 0, stop - 24, start 8 30", "0 to 24: 8 ug/d; 30 to now: 8 ug/d, begun"),
    "no rate charted": ("start - 0", "0 to now: an unknown rate"),
    "a single dose": ("given 8 0", "0 to 0: 8 ug/d"),
    "a single dose while it runs": ("start 8 0, given 8 24", "0 to now: 8 ug/d"),
}  # fmt: skip


def chart_facts(script):
    facts = []
    for row in script.split(", ") if script else ():
        word, rate, hour_text = row.split()
        dose = None if rate == "-" else quantity(rate, "ug/d")
        facts.append(fact(Administration("blinatumomab", _ACTIONS[word], dose), float(hour_text)))
    return [replace(one, id=f"f{n}") for n, one in enumerate(facts)]


def ran(facts):
    return [
        f"{format_hour(one.start)} to {format_hour(one.end) if one.end else 'now'}:"
        f" {format_rate(one.rate)}" + (", begun" if one.begins and one.start != hours(0) else "")
        for one in trace_infusion(facts, "blinatumomab").periods
    ]


@pytest.mark.parametrize(("script", "expected"), TABLE.values(), ids=TABLE)
def test_when_it_ran(script, expected):
    facts = chart_facts(script)
    assert "; ".join(ran(facts)) == expected
    assert ran(facts[::-1]) == ran(facts)


def test_other_drugs_and_other_facts_are_no_infusion():
    steroid = fact(Administration("dexamethasone", Action.START), 0)
    assert ran([steroid, fact(Culture(positive=True), 1)]) == []


@pytest.mark.parametrize(
    ("observed_hour", "rate", "runs"),
    [
        (-1, None, False),
        (0, "8 ug/d", True),
        (24, "8 ug/d", False),
        (30, "16 ug/d", True),
        (99, "16 ug/d", True),
    ],
)
def test_what_runs_at_an_instant_or_ran_last(observed_hour, rate, runs):
    infusion = trace_infusion(chart_facts("start 8 0, stop - 24, start 16 30"), "blinatumomab")
    period = infusion.find_period(hours(observed_hour))
    assert (period and format_rate(period.rate)) == rate
    assert infusion.is_running(hours(observed_hour)) is runs


# hours of the second start, after a stop at 24; hours of the pause before it, if it is a restart
RESTARTS = {
    "after 6 h": (30, [6]),
    "after 14 days": (24 + 14 * 24, [14 * 24]),
    "after more than 14 days": (24.1 + 14 * 24, []),
}


@pytest.mark.parametrize(("hour", "pauses"), RESTARTS.values(), ids=RESTARTS)
def test_a_restart_is_what_began_after_a_pause_of_14_days_at_most(hour, pauses):
    infusion = trace_infusion(chart_facts(f"start 8 0, stop - 24, start 8 {hour}"), "blinatumomab")
    restarts = [
        (format_hour(one.start), pause / timedelta(hours=1))
        for one, pause in infusion.find_restarts(timedelta(days=14))
    ]
    assert restarts == [(f"{hour:g}", pause) for pause in pauses]
