"""The protocol of the chosen study, without its criteria and its data."""

from argparse import Namespace

from services.cli.shared.chosen_settings import read_chosen_settings
from services.safety_rules.adapters.protocol_files import load_study
from services.vocabulary.protocol import Protocol


def read_protocol(args: Namespace) -> Protocol:
    """Return the protocol of the chosen study; its criteria are not read.

    Raises:
        UntrustedFileError: One of its files cannot be trusted.
    """
    return load_study(read_chosen_settings(args).study).protocol
