"""The rules of the chosen study, without its data."""

from argparse import Namespace

from services.cli.shared.chosen_settings import read_store_settings
from services.safety_rules.adapters.study_rules import StudyRules, load_rules


def read_study(args: Namespace) -> StudyRules:
    """Return the rules of the chosen study.

    Raises:
        UntrustedFileError: One of its files cannot be trusted.
    """
    return load_rules(read_store_settings(args).study)
