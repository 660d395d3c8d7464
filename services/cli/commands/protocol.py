"""``aegis protocol``: whether a protocol can be trusted, and how people read it."""

import textwrap
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from services.charts.chart_content import Sheet
from services.cli.shared.columns import (
    PROTOCOL_CHECK,
)
from services.cli.shared.design_notes import list_design_notes
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.output_files import OutputFile, write_files
from services.cli.shared.plan_documents import make_plan_documents
from services.cli.shared.protocol_sheets import explain_protocol, list_explained_rates
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.study_check import (
    list_missing_files,
    list_unread_drugs,
    require_sound_study,
)
from services.cli.shared.tables import make_explained_table, make_table
from services.cli.shared.terminal_width import print_text
from services.reports.statistical_plan import PlannedRule
from services.safety_rules.adapters.protocol_files import PROTOCOL, Study
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.reports.boundary_tables import (
    Design,
)
from services.vocabulary.protocol import Protocol

_LINE_WIDTH = 90  # characters of what is said
_RECOMMENDATION = "the DSMB reviews the trial and decides whether it goes on."


def perform(args: Namespace) -> int:
    """Check a protocol, or print it in words."""
    study = read_protocol(args.path)
    if args.word == "check":
        return _check(args, study)
    try:
        sheets = list(explain_protocol(study, args.accrual_days, args.window_days))
    except ValueError as error:
        raise refuse_argument(args, error) from error
    if args.json:
        print_json_lines(
            [_identity(study.protocol) | {"parts": list(map(_summarize_sheet, sheets))}]
        )
    else:
        print_text("\n\n".join([_protocol_title(study.protocol), *map(_describe_sheet, sheets)]))
    title = _protocol_title(study.protocol)
    pages = [_draw_document(args.pdf, title, sheets)] if args.pdf else []
    documents = make_plan_documents(args, "Stopping rules", f"{title}.", list_planned_rules(study))
    write_files([*pages, *documents])
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


def _draw_document(file: Path, head: str, sheets: Sequence[Sheet]) -> OutputFile:
    from services.charts.document import write_document  # noqa: PLC0415 (matplotlib takes a second)

    return OutputFile("--pdf", file, write_document(head, sheets))


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
            list_explained_rates(rule.stop_when.p0),
            "Boundary reached: "
            + ("for the safety officer to look at." if rule.watch_only else _RECOMMENDATION),
            rule.watch_only,
        )
        for rule in study.protocol.rules
    ]


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
