"""``aegis protocol``: whether a protocol can be trusted, and how people read it."""

import textwrap
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.charts.chart_content import Marks, Sheet
from services.cli.command import CommandError
from services.cli.shared.columns import (
    CHARACTERISTICS,
    PERSON_TIME,
    PROTOCOL_CHECK,
    PROTOCOL_RULES,
    list_headings,
)
from services.cli.shared.design_notes import list_design_notes
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.plan_documents import write_plan_documents
from services.cli.shared.plotted_rules import list_time_rows, plot_rule
from services.cli.shared.protocol_words import describe_rule, describe_shared_parts
from services.cli.shared.study_check import (
    list_missing_files,
    list_unread_drugs,
    require_sound_study,
)
from services.cli.shared.tables import make_explained_table, make_table
from services.cli.shared.terminal_width import print_text
from services.cli.shared.window_length import measure_window
from services.reports.statistical_plan import PlannedRule
from services.safety_rules.adapters.protocol_files import PROTOCOL, Study
from services.safety_rules.adapters.protocol_sources import read_sources
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.reports.boundary_tables import (
    Design,
    FamilywiseError,
    PersonTimeDesign,
    RuleDesign,
    list_alerting_designs,
    simulate_familywise_error,
)
from services.vocabulary.protocol import Protocol, Rule

_LINE_WIDTH = 90  # characters of what is said
_RECOMMENDATION = "the DSMB reviews the trial and decides whether it goes on."
_RATE_DIFFERENCES = (-0.5, 0.0, 0.05, 0.1, 0.15, 0.2)  # rates of the table: half of p0, p0 and more


def perform(args: Namespace) -> int:
    """Check a protocol, or print it in words."""
    study = read_protocol(args.path)
    if args.word == "check":
        return _check(args, study)
    try:
        sheets = list(explain_protocol(study, args.accrual_days, args.window_days))
    except ValueError as error:
        raise CommandError(str(error)) from error
    if args.json:
        print_json_lines(
            [_identity(study.protocol) | {"parts": list(map(_summarize_sheet, sheets))}]
        )
    else:
        print_text("\n\n".join([_protocol_title(study.protocol), *map(_describe_sheet, sheets)]))
    if args.pdf:
        _write_document(args.pdf, _protocol_title(study.protocol), sheets)
    write_plan_documents(
        args, "Stopping rules", f"{_protocol_title(study.protocol)}.", list_planned_rules(study)
    )
    return 0


def _check(args: Namespace, study: Study) -> int:
    """Print the numbers that were checked, unless something of the study is wrong."""
    require_sound_study(args.path, study)
    notes = _list_notes(args.path, study)
    if args.json:
        print_json_lines([_summarize_check(study) | {"notes": notes}])
    else:
        print_text("\n".join([describe_check(args.path, study), *notes]))
    return 0


def _list_notes(path: Path, study: Study) -> list[str]:
    protocol = study.protocol
    notes = [
        f"{rule.id}: {note}"
        for rule in protocol.rules
        if isinstance(design := study.designs[rule.id], Design)
        for note in list_design_notes(design, rule.stop_when.parameters)
    ]
    notes += [
        f"{name} is not beside it: not checked"
        for name in ([] if path.is_dir() else list_missing_files(path.parent))
    ]
    if unread_drugs := list_unread_drugs(protocol):
        notes.append(f"no code of a feed means {', '.join(unread_drugs)}: never read")
    return notes


def _write_document(file: Path, head: str, sheets: Sequence[Sheet]) -> None:
    from services.charts.document import write_document  # noqa: PLC0415 (matplotlib takes a second)

    try:
        file.write_bytes(write_document(head, sheets))
    except OSError as error:
        raise CommandError(f"--pdf {file} cannot be written: {error.strerror}") from error


def _identity(protocol: Protocol) -> dict[str, object]:
    return {
        "study": protocol.study,
        "version": protocol.version,
        "sha256": protocol.sha256,
        "signed_by": protocol.signed_by,
    }


def _summarize_check(study: Study) -> dict[str, object]:
    """Return the numbers that were checked, for programs."""
    rules = [
        {
            "rule": rule.id,
            "boundary": study.designs[rule.id].boundary_text,
            "attained_alpha": study.designs[rule.id].attained_alpha,
            "alpha": rule.stop_when.alpha,
            "examples": len(rule.worked_examples),
        }
        for rule in study.protocol.rules
    ]
    return _identity(study.protocol) | {"rules": rules}


def _summarize_sheet(sheet: Sheet) -> dict[str, object]:
    head, *rows = sheet.table
    return {
        "title": sheet.title,
        "items": [{"name": name, "words": words} for name, words in sheet.items],
        "table": [dict(zip(head, row, strict=True)) for row in rows],
    }


def read_protocol(path: Path) -> Study:
    """Return the study of a folder, or of a protocol file with the other files beside it.

    Raises:
        UntrustedFileError: It cannot be trusted.
    """
    folder, name = (path, PROTOCOL) if path.is_dir() else (path.parent, path.name)
    return load_rules(folder, name).study


def describe_check(path: Path, study: Study) -> str:
    """Return the numbers that were checked of a *study* in which nothing is wrong."""
    protocol = study.protocol
    rows = [
        (
            rule.id,
            study.designs[rule.id].boundary_text,
            f"{study.designs[rule.id].attained_alpha:.5f}",
            f"{rule.stop_when.alpha:g}",
            len(rule.worked_examples),
        )
        for rule in protocol.rules
    ]
    return (
        f"{path}: nothing is wrong\n{_protocol_title(protocol)}\nsha256 {protocol.sha256}\n"
        f"{make_explained_table(PROTOCOL_CHECK, rows)}"
    )


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
        or (
            "nobody: this is a DRAFT; a signature is name, role, date and this sha256, "
            "in signatures.yaml"
        ),
    )
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


def list_planned_rules(study: Study) -> list[PlannedRule]:
    """Return the rules as a statistical plan has them."""
    return [
        PlannedRule(
            rule.id,
            rule.title,
            rule.in_words,
            rule.stop_when.p0,
            study.designs[rule.id],
            rule.stop_when.parameters,
            _list_rates(rule.stop_when.p0),
            "Boundary reached: "
            + ("for the safety officer to look at." if rule.watch_only else _RECOMMENDATION),
        )
        for rule in study.protocol.rules
    ]


def _list_rates(p0: float) -> list[float]:
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
    possible_rates = _list_rates(p0)
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


def _protocol_title(protocol: Protocol) -> str:
    return f"{protocol.study} {protocol.label}"


def _describe_sheet(sheet: Sheet) -> str:
    wide = max(len(name) for name, _ in sheet.items)
    lines = [sheet.title]
    for name, words in sheet.items:
        said_in = textwrap.wrap(words, _LINE_WIDTH) or [""]
        lines += [f"  {('' if k else name).ljust(wide)}  {part}" for k, part in enumerate(said_in)]
    head, *rows = sheet.table
    return "\n".join([*lines, *(f"  {line}" for line in make_table(head, rows).splitlines())])
