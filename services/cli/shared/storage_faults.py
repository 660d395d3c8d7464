"""Sentences about the disk or the database under a command that cannot be used."""

from argparse import Namespace

from services.cli.shared.chosen_settings import read_chosen_settings
from services.cli.shared.open_database import open_database
from services.store.file_faults import describe_file_fault


def explain_storage_fault(args: Namespace, error: Exception) -> str | None:
    """Return one sentence about a disk, file or right; None: *error* is of another kind."""
    return describe_file_fault(error, open_database(read_chosen_settings(args)).file)
