"""A protocol on sheets, as its signers read it: the parts that all rules share, then each rule."""

from collections.abc import Iterator, Sequence

from services.charts.chart_content import Marks, Sheet
from services.cli.shared.columns import (
    CHARACTERISTICS,
    PERSON_TIME,
    PROTOCOL_RULES,
    list_headings,
)
from services.cli.shared.plotted_rules import list_time_rows, plot_rule
from services.cli.shared.protocol_words import describe_rule, describe_shared_parts
from services.cli.shared.window_length import measure_window
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.adapters.protocol_sources import read_sources
from services.safety_rules.reports.alerting_designs import list_alerting_designs
from services.safety_rules.reports.boundary_tables import (
    Design,
    FamilywiseError,
    PersonTimeDesign,
    RuleDesign,
    simulate_familywise_error,
)
from services.vocabulary.protocol import Rule

_RATE_DIFFERENCES = (-0.5, 0.0, 0.05, 0.1, 0.15, 0.2)  # rates of the table: half of p0, p0 and more


def explain_protocol(
    study: Study, accrual_days: float, window_days: float | None
) -> Iterator[Sheet]:
    """Yield the protocol's parts: what all rules share, then each rule.

    Each participant is followed for *window_days*; None: through the rule's own window.

    Raises:
        ValueError: The accrual is not positive, or the window negative.
    """
    protocol, sources = study.protocol, read_sources(study)
    windows = {rule.id: measure_window(rule.window, protocol) for rule in protocol.rules}
    tables = {
        rule.id: _make_characteristics(
            rule,
            study.designs[rule.id],
            accrual_days,
            windows[rule.id].days if window_days is None else window_days,
        )
        for rule in protocol.rules
    }
    follow_up = "through the rule's window" if window_days is None else f"{window_days:g} days"
    alerting_designs = list_alerting_designs(study)
    yield Sheet(
        protocol.study,
        tuple(
            _explain_study(
                study,
                sources.assumed,
                simulate_familywise_error(alerting_designs) if alerting_designs else None,
                f"all enter within {accrual_days:g} days, uniformly, each followed {follow_up}",
            )
        ),
        (
            list_headings(PROTOCOL_RULES),
            *(_rule_cells(rule, study.designs[rule.id]) for rule in protocol.rules),
        ),
    )
    for rule in protocol.rules:
        when = rule.stop_when
        yield Sheet(
            f"{rule.id}  {rule.title}",
            tuple(
                describe_rule(
                    rule, study.designs[rule.id], sources.rules[rule.id], windows[rule.id]
                )
            ),
            tables[rule.id],
            plot_rule(rule, study.designs[rule.id]),
            Marks(when.p0, when.alpha),
            when.n,
        )


def _explain_study(
    study: Study, assumptions: Sequence[str], joint_error: FamilywiseError | None, enrolment: str
) -> Iterator[tuple[str, str]]:
    protocol = study.protocol
    yield "Title", protocol.title
    yield "Protocol", f"version {protocol.version}"
    yield (
        "Signed by",
        "; ".join(protocol.signed_by)
        or ("nobody here: this is a DRAFT; once it is activated, `aegis study sign` signs it"),
    )
    if study.typed_signatures:
        yield "Typed, unverified", "; ".join(study.typed_signatures)
    yield "sha256", protocol.sha256
    yield "Criteria", protocol.criteria
    yield "Study drug", protocol.study_drug
    yield from describe_shared_parts(protocol)
    yield "Assumed", ", ".join(assumptions) or "nothing outside the rules"
    if joint_error:
        yield "Joint false stop", describe_joint_error(joint_error)
    yield "Enrolled, days", f"expected when {enrolment}, and evaluated when complete"


def describe_joint_error(joint: FamilywiseError) -> str:
    """Return the probability that the rules together stop a safe trial, in words."""
    (_, independent), *correlated_chances = joint.chances
    correlated_text = ", ".join(f"{chance:.3f} at {rho:g}" for rho, chance in correlated_chances)
    return (
        f"the rules that alert stop a trial that is safe under each of them with probability "
        f"{independent:.3f} if their events are independent (simulated, {joint.trials:,} trials,"
        f" seed {joint.seed}, standard error {joint.error:.4f}; exact 1 - prod(1 - attained) "
        f"{joint.independent:.3f}, 1 - prod(1 - alpha) {joint.nominal:.3f})"
        + (f"; correlated, {correlated_text}" if correlated_text else "")
    )


def _rule_cells(rule: Rule, design: RuleDesign) -> tuple[str, ...]:
    when = rule.stop_when
    says = "watched only" if rule.watch_only else "alerts"
    exact = f"{design.attained_alpha:.5f}"
    return rule.id, f"{when.p0:g}", f"{when.alpha:g}", exact, f"{when.n}", says


def list_explained_rates(p0: float) -> list[float]:
    """Return half of p0, p0 and rates above it, below 1."""
    rates = [round(p0 + more if more >= 0 else p0 / 2, 4) for more in _RATE_DIFFERENCES]
    return [rate for rate in rates if rate < 1]


def _make_characteristics(
    rule: Rule, design: RuleDesign, accrual_days: float, window_days: float
) -> tuple[tuple[str, ...], ...]:
    """Return the table of what *rule* does at its acceptable rate and beside it.

    Raises:
        ValueError: The accrual is not positive, or the window negative.
    """
    p0 = rule.stop_when.p0
    possible_rates = list_explained_rates(p0)
    if isinstance(design, PersonTimeDesign):
        return list_headings(PERSON_TIME), *list_time_rows(design, p0, possible_rates)
    rows = _list_characteristics(design, possible_rates, accrual_days, window_days)
    return list_headings(CHARACTERISTICS), *rows


def _list_characteristics(
    design: Design, rates: Sequence[float], accrual_days: float, window_days: float
) -> Iterator[tuple[str, ...]]:
    at_rates = design.evaluate_at(rates)
    enrolments = at_rates.compute_enrolment(accrual_days, window_days)
    for row, (people, days) in zip(at_rates.characteristics, enrolments, strict=True):
        yield (
            f"{row.rate:g}" + (" (p0)" if row.rate == round(design.p0, 4) else ""),
            f"{row.p_stop:.4f}",
            f"{row.e_evaluated:.2f}",
            f"{row.e_events:.2f}",
            f"{people:.2f}",
            f"{days:.0f}",
            f"{row.median_stop or '-'}",
        )
