"""Simulated trials per second through a stopping rule, every way of counting, on one core.

Measured: `services.safety_rules.reports.rule_simulation.rehearse` of the trial's first rule
at its p0: each trial drawn once and counted in five ways, by the path of the live monitor for
many trials at once.

The floor: the same trials drawn, and nothing counted. Beside it the live monitor's own path, one
trial at a time, for the one way of counting that the rule has: what the batch is there to beat.
"""

import numpy as np

from benchmarks.material import Material
from benchmarks.measuring import Measure, per_core_second
from services.safety_rules.domain.stopping.cohort import Cohort, Outcomes
from services.safety_rules.domain.stopping.path import list_path_points, read_limits
from services.safety_rules.domain.stopping.trial_plan import TrialPlan, draw_trials
from services.safety_rules.reports.protocol_simulation import rehearse_protocol
from services.safety_rules.reports.rule_simulation import rehearse
from services.vocabulary.standing import Standing

_TRIALS, _ALONE, _AT_ONCE = 10_000, 500, 500
_WINDOW_DAYS = (10.0, 40.0)
_SEED = 7


def measures(material: Material) -> list[Measure]:
    """Return the measures."""
    rule = material.context.study.rules.protocol.rules[0]
    when, limit = rule.stop_when, read_limits(rule)
    course = TrialPlan(365.0, _WINDOW_DAYS, rule.curve)
    members = tuple(Standing(f"P-{number}", rule.id) for number in range(when.n))

    def count_stops() -> None:
        rehearse(rule, course, rates=(when.p0,), trials=_TRIALS, seed=_SEED)

    def only_drawn() -> None:
        chance = np.random.default_rng(_SEED)
        for _ in range(_TRIALS // _AT_ONCE):
            draw_trials(course, when.p0, when.n, _AT_ONCE, chance)

    def one_by_one() -> None:
        trials = draw_trials(course, when.p0, when.n, _ALONE, np.random.default_rng(_SEED))
        no_events = np.zeros(when.n, dtype=np.bool_)
        for entry_days, ends, event in zip(
            trials.entered_at, trials.window_ends_at, trials.event_at, strict=True
        ):
            size = Cohort(members, entry_days, ends, ends, no_events, float(ends.max()), 0, 0, None)
            event_days = Outcomes(event, event)
            list_path_points(size, event_days, rule.policy, rule.curve, limit)

    rules = material.context.study.rules.protocol.rules
    life = TrialPlan(
        365.0, _WINDOW_DAYS, rule.curve,
        competing_rate=0.1, dropout_rate=0.1, report_delay_days=7.0, false_report_rate=0.02,
    )  # fmt: skip

    def rehearse_all(course: TrialPlan) -> None:
        rehearse_protocol(
            rules, course, dose_days=(60, 90), factors=(1.0,), trials=_TRIALS, seed=_SEED
        )

    return [
        Measure(
            "all rules in simulated trials, as in life",
            "trials/s",
            lambda: per_core_second(_TRIALS, lambda: rehearse_all(life)),
            {
                "everything known at once": lambda: per_core_second(
                    _TRIALS, lambda: rehearse_all(course)
                )
            },
        ),
        Measure(
            "a rule in simulated trials",
            "trials/s",
            lambda: per_core_second(_TRIALS, count_stops),
            {
                "floor: drawn only": lambda: per_core_second(_TRIALS, only_drawn),
                "one by one, one way": lambda: per_core_second(_ALONE, one_by_one),
            },
        ),
    ]
