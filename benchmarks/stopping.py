"""The cost of stopping rules: to calibrate one, to characterise it, to follow ten of them.

Measured, in milliseconds of one core: the exact calibration of a beta-binomial rule for 100
participants (aim: 20), and of a MaxSPRT in person-time (aim: 100); the exact characteristics of the
former at six rates (aim: 5); all that an update reports of ten rules over 200 participants, a
quarter of them pending, after a fact of one of them (aim: 6). Each time it is of another one of
those pending; one in 500 is an event under every rule, or takes it back, and the path of each is
traced anew for whoever is heard of next. In the demo one fact in some thousand is an event.

The floors: the statistic at every count, and one exact type I error; the same recursion over the
number of events in which nobody stops; the instants of the standings as numbers.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.material import Material
from benchmarks.measuring import Measure, interpreter_of_a_service
from services.safety_rules.adapters.protocol_files import load_study
from services.safety_rules.domain.stopping.calibrate import calibrate_boundary
from services.safety_rules.domain.stopping.characteristics import (
    compute_characteristics,
    compute_crossing_probability,
)
from services.safety_rules.domain.stopping.families import compute_statistics
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.person_time_design import (
    make_intervals,
    make_person_time_design,
)
from services.safety_rules.domain.stopping.person_time_families import PERSON_TIME_FAMILIES
from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan
from services.safety_rules.domain.stopping.person_time_recursion import (
    compute_stop_chance,
    follow_states,
)
from services.safety_rules.domain.stopping.rule_standings import RuleStandings
from services.safety_rules.domain.stopping.steps import compress_boundary
from services.safety_rules.domain.stopping.watched_rule import WatchedRule
from services.vocabulary.protocol import Rule, StopWhen
from services.vocabulary.standing import CountedEvent, ObservedStanding, Standing

_FAMILY, _P0, _ALPHA = "beta-binomial", 0.10, 0.05
_PRIOR = {"prior": (0.2, 1.8)}
_RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
_N, _RULES, _PARTICIPANTS, _PENDING = 100, 10, 200, 50
_START = datetime(2026, 1, 1, tzinfo=UTC)
_CUT = _START + timedelta(days=_PARTICIPANTS)
_REPEATS = 5
_NUMBERS = count()
_UPDATES = 500  # of which one changes the counts
_EXPECTED = 50.0  # events, of the plan of a rule of person-time
_STUDY = Path("studies/blina-hsct")
_HAS_EVENT, _CONFIRMED = 0.08, 0.5  # of the participants, of the events


def measures(_material: Material) -> list[Measure]:
    """Return calibration, characteristics and an update."""
    boundary = np.array(calibrate_boundary(_FAMILY, _N, _P0, _ALPHA, _PRIOR).boundary)
    protocol = load_study(_STUDY).protocol
    rules = [_rule(protocol.rules[0], number) for number in range(_RULES)]
    trial = [_trial(rule) for rule in rules]
    watched_rules = [
        WatchedRule(protocol, rule, observed) for rule, observed in zip(rules, trial, strict=True)
    ]
    minutes = count()

    def statistic() -> None:
        compute_statistics(_FAMILY, _N, _P0, _PRIOR)
        compute_crossing_probability(boundary, _P0)

    def update() -> None:
        """Decide after a fact of somebody under follow-up, a minute after the one before."""
        minute = next(minutes)
        observe(_PARTICIPANTS - 1 - minute % _PENDING, minute, is_event=minute % _UPDATES == 0)

    def update_later() -> None:
        """The same of somebody whose windows are over."""
        minute = next(minutes)
        observe(minute % (_PARTICIPANTS - 2 * _PENDING), minute)

    def observe(number: int, minute: int, *, is_event: bool = False) -> None:
        as_of = _CUT + timedelta(minutes=minute)
        for rule, observed in zip(watched_rules, trial, strict=True):
            standing = observed[number].standing
            changed_standing = _change_event(standing, as_of) if is_event else standing
            observed[number] = ObservedStanding(changed_standing, as_of)
            rule.put(observed[number])
            rule.decide(as_of)

    def begin() -> None:
        as_of = _CUT + timedelta(minutes=next(minutes))
        for rule, observed in zip(rules, trial, strict=True):
            last = replace(observed[-1], observed_until=as_of)
            decide_rule(protocol, rule, [*observed[:-1], last], as_of)

    def read_protocol() -> None:
        for rule, observed in zip(rules, trial, strict=True):
            RuleStandings(rule, observed).select_cohort(_CUT)

    unreachable = np.arange(1, _N + 2)
    return [
        Measure(
            f"calibration, n = {_N}",
            "ms",
            partial(_cost_ms, _calibrate),
            {"floor: every statistic, one error": partial(_cost_ms, statistic)},
        ),
        Measure(
            f"calibration in person-time, {_EXPECTED:g} expected events",
            "ms",
            partial(_cost_ms, _calibrate_person_time),
            {"floor: its limits, one error": partial(_cost_ms, _compute_one_error)},
        ),
        Measure(
            f"characteristics at {len(_RATES)} rates, n = {_N}",
            "ms",
            partial(_cost_ms, lambda: compute_characteristics(boundary, _RATES)),
            {
                "floor: nobody stops": partial(
                    _cost_ms, lambda: compute_characteristics(unreachable, _RATES)
                ),
            },
        ),
        Measure(
            f"update of {_RULES} rules, {_PARTICIPANTS} participants",
            "ms",
            partial(_cost_ms, update, _UPDATES),
            {
                "the same of somebody whose windows are over": partial(_cost_ms, update_later),
                "the same with nothing kept": partial(_cost_ms, begin),
                "floor: standings read into arrays": partial(_cost_ms, read_protocol),
            },
        ),
    ]


def _calibrate() -> None:
    """Calibrate to an alpha of its own: a boundary that was asked for is remembered."""
    calibrate_boundary(_FAMILY, _N, _P0, _ALPHA * (1 - 1e-9 * next(_NUMBERS)), _PRIOR)


def _calibrate_person_time() -> None:
    make_person_time_design("poisson-maxsprt", _ALPHA, PersonTimePlan(_EXPECTED))


def _compute_one_error() -> None:
    k = np.arange(1.0, 2 * _EXPECTED)
    limits = PERSON_TIME_FAMILIES["poisson-maxsprt"].find_limits(3.8, k, _EXPECTED, {})
    times = limits[limits < _EXPECTED].tolist()
    compute_stop_chance(follow_states(make_intervals(times, PersonTimePlan(_EXPECTED))), 1.0)


def _rule(template: Rule, number: int) -> Rule:
    """Return a rule for all the participants; each has another p0."""
    p0 = _P0 + 0.01 * number
    prior = {"prior": (2 * p0, 2 * (1 - p0))}
    table = calibrate_boundary(_FAMILY, _PARTICIPANTS, p0, _ALPHA, prior).boundary
    when = StopWhen(_FAMILY, p0, _ALPHA, _PARTICIPANTS, compress_boundary(table), prior)
    return replace(template, id=f"{template.id}{number}", stop_when=when)


def _trial(rule: Rule) -> list[ObservedStanding]:
    """Return one participant a day, windows of 60 days, events at 8 in 100."""
    chance = np.random.default_rng(int(rule.stop_when.p0 * 100))
    standings = []
    for number in range(_PARTICIPANTS):
        entry_day = _START + timedelta(days=number)
        event = None
        if chance.random() < _HAS_EVENT:
            event = CountedEvent(
                entry_day + timedelta(days=float(15 * chance.random())), "event", 3, confirmed=True
            )
        standing = Standing(
            f"P-{number:03}",
            rule.id,
            entry_day,
            entry_day + timedelta(days=60),
            event=event,
            confirmed=event if chance.random() < _CONFIRMED else None,
            upper=event,
        )
        standings.append(ObservedStanding(standing, _CUT))
    return standings


def _change_event(standing: Standing, at: datetime) -> Standing:
    """Return *standing* with an event *at* that instant, or without the one it has."""
    event = None if standing.event else CountedEvent(at, "event", 3, confirmed=False)
    return replace(standing, event=event, confirmed=None, upper=event)


def _cost_ms(work: Callable[[], object], repeats: int = _REPEATS) -> float:
    """Do *work* some times; return what one of them cost."""
    with interpreter_of_a_service():
        started_s = time.process_time()
        for _ in range(repeats):
            work()
        return (time.process_time() - started_s) * 1000 / repeats
