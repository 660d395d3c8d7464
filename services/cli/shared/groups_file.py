"""The group of each participant, as a person wrote it in a file."""

import csv
from pathlib import Path

from services.cli.command import CommandError

_COLUMNS = ["participant", "group"]


def read_groups(path: Path) -> dict[str, str]:
    """Return the group of each participant of a CSV file.

    Raises:
        CommandError: It cannot be read, or a line cannot be used; says which and why.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"--groups {path} cannot be read as CSV: {error}") from error
    if not rows or [cell.strip() for cell in rows[0]] != _COLUMNS:
        raise CommandError(f"--groups {path} line 1: must be `participant,group`")
    groups: dict[str, str] = {}
    for number, row in enumerate(rows[1:], 2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != len(_COLUMNS) or not all(cells):
            raise CommandError(f"--groups {path} line {number}: must be a participant and a group")
        participant, group = cells
        if participant in groups:
            raise CommandError(f"--groups {path} line {number}: {participant} stands there twice")
        groups[participant] = group
    if not groups:
        raise CommandError(f"--groups {path}: names nobody")
    return groups
