"""``aegis protocol explain``: a protocol as its signers read it."""

import textwrap
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from services.charts.chart_content import Sheet
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.output_files import OutputFile, write_files
from services.cli.shared.plan_documents import make_plan_documents
from services.cli.shared.protocol_sheets import explain_protocol, list_explained_rates
from services.cli.shared.protocol_title import identify_protocol, name_protocol
from services.cli.shared.refused_argument import refuse_argument
from services.cli.shared.tables import make_table
from services.cli.shared.terminal_width import print_text
from services.reports.statistical_plan import PlannedRule
from services.safety_rules.adapters.protocol_files import Study

_LINE_WIDTH = 90  # characters of what is said
_RECOMMENDATION = "the DSMB reviews the trial and decides whether it goes on."


def print_study(args: Namespace, study: Study) -> None:
    """Print *study* in words, and write the documents that are asked for.

    Raises:
        CommandError: An argument is out of range, or a file cannot be written.
    """
    try:
        sheets = list(explain_protocol(study, args.accrual_days, args.window_days))
    except ValueError as error:
        raise refuse_argument(args, error) from error
    title = name_protocol(study.protocol)
    if args.json:
        print_json_lines(
            [identify_protocol(study) | {"parts": list(map(_summarize_sheet, sheets))}]
        )
    else:
        print_text("\n\n".join([title, *map(_describe_sheet, sheets)]))
    pages = [_draw_document(args.pdf, title, sheets)] if args.pdf else []
    documents = make_plan_documents(args, "Stopping rules", f"{title}.", list_planned_rules(study))
    write_files([*pages, *documents])


def _draw_document(file: Path, head: str, sheets: Sequence[Sheet]) -> OutputFile:
    from services.charts.document import write_document  # noqa: PLC0415 (matplotlib takes a second)

    return OutputFile("--pdf", file, write_document(head, sheets))


def _summarize_sheet(sheet: Sheet) -> dict[str, object]:
    head, *rows = sheet.table
    return {
        "title": sheet.title,
        "items": [{"name": name, "words": words} for name, words in sheet.items],
        "table": [dict(zip(head, row, strict=True)) for row in rows],
    }


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


def _describe_sheet(sheet: Sheet) -> str:
    wide = max(len(name) for name, _ in sheet.items)
    lines = [sheet.title]
    for name, words in sheet.items:
        said_in = textwrap.wrap(words, _LINE_WIDTH) or [""]
        lines += [f"  {('' if k else name).ljust(wide)}  {part}" for k, part in enumerate(said_in)]
    head, *rows = sheet.table
    return "\n".join([*lines, *(f"  {line}" for line in make_table(head, rows).splitlines())])
