"""The course of simulated trials, as a command was told."""

from argparse import Namespace
from collections.abc import Iterator

from services.cli.command import CommandError
from services.safety_rules.reports.rule_simulation import TrialPlan
from services.vocabulary.protocol import Curve

_CORRECTED_AFTER_DAYS = 30.0


def read_trial_plan(args: Namespace, onset: Curve, window_days: tuple[float, float]) -> TrialPlan:
    """Return the plan that the arguments of `services.cli.arguments.trial_course` say.

    Raises:
        CommandError: An argument would change nothing without another.
    """
    for name, other, is_given in (
        ("site-gap-days", "sites", args.sites != 1),
        ("competing-onset", "competing", args.competing),
        ("false-report-days", "false-reports", args.false_reports),
    ):
        if getattr(args, name.replace("-", "_")) is not None and not is_given:
            raise CommandError(f"--{name} goes with --{other}")
    return TrialPlan(
        accrual_days=args.accrual_days,
        window_days=window_days,
        onset=onset,
        accrual=args.accrual,
        sites=args.sites,
        site_gap_days=args.site_gap_days or 0.0,
        competing_rate=args.competing,
        competing_onset=args.competing_onset or Curve("uniform"),
        dropout_rate=args.dropout,
        report_delay_days=args.report_delay_days,
        false_report_rate=args.false_reports,
        false_report_days=_CORRECTED_AFTER_DAYS
        if args.false_report_days is None
        else args.false_report_days,
    )


def describe_course(plan: TrialPlan) -> str:
    """Return accrual and all that befalls participants, in one line."""
    return "; ".join(_list_parts(plan))


def _list_parts(plan: TrialPlan) -> Iterator[str]:
    accrual = "" if plan.accrual.shape == "uniform" else f", {describe_curve(plan.accrual)}"
    yield f"accrual over {plan.accrual_days:g} days{accrual}"
    if plan.sites > 1:
        yield f"{plan.sites} sites, opening {plan.site_gap_days:g} days apart"
    if plan.competing_rate:
        yield (f"competing events {plan.competing_rate:g}, {describe_curve(plan.competing_onset)}")
    if plan.dropout_rate:
        yield f"dropout {plan.dropout_rate:g}"
    if plan.report_delay_days:
        yield f"reports {plan.report_delay_days:g} days late on average"
    if plan.false_report_rate:
        yield (
            f"false reports {plan.false_report_rate:g}, corrected after"
            f" {plan.false_report_days:g} days"
        )


def describe_curve(curve: Curve) -> str:
    """Return a curve in words."""
    return {
        "uniform": "uniform",
        "exponential": f"exponential, mean {curve.mean_days:g} days",
        "weibull": f"Weibull, scale {curve.scale_days:g} days, shape {curve.weibull_shape:g}",
        "table": "by a table",
    }[curve.shape]
