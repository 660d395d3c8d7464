"""``aegis protocol check``: the numbers of a protocol that can be trusted."""

from argparse import Namespace
from pathlib import Path

from services.cli.shared.columns import PROTOCOL_CHECK
from services.cli.shared.design_notes import list_design_notes
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.protocol_title import identify_protocol, name_protocol
from services.cli.shared.study_check import (
    list_missing_files,
    list_unread_drugs,
    require_sound_study,
)
from services.cli.shared.tables import make_explained_table
from services.cli.shared.terminal_width import print_text
from services.safety_rules.adapters.protocol_files import Study
from services.safety_rules.reports.boundary_tables import Design


def print_study(args: Namespace, study: Study) -> None:
    """Print the numbers of *study* that were checked, unless something of it is wrong.

    Raises:
        UntrustedFileError: Something is.
    """
    require_sound_study(args.path, study)
    notes = _list_notes(args.path, study)
    if args.json:
        print_json_lines([_summarize_check(study) | {"notes": notes}])
    else:
        print_text("\n".join([describe_check(args.path, study), *notes]))


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
    return identify_protocol(study) | {"rules": rules}


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
        f"{path}: nothing is wrong\n{name_protocol(protocol)}\nsha256 {protocol.sha256}\n"
        f"{make_explained_table(PROTOCOL_CHECK, rows)}"
    )
