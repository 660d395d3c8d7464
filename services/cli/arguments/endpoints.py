"""Arguments of ``aegis endpoints``."""

from argparse import ArgumentParser
from pathlib import Path
from typing import get_args

from services.cli.arguments.common import (
    add_as_of,
    add_data_and_study,
    add_json,
    explain_columns,
)
from services.cli.shared.columns import ADVERSE_EVENTS, ENDPOINTS, ENGRAFTMENT, GROUPS
from services.vocabulary.endpoint import EndpointClock

# Those of services.safety_rules.reports.endpoints, which takes long to load.
IDS = (
    *("os", "pfs", "nrm", "relapse"),
    *("agvhd-2-4", "agvhd-3-4", "cgvhd", "cgvhd-moderate"),
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add which endpoints, as of when, and in which form."""
    add_data_and_study(parser)
    add_as_of(parser)
    add_json(parser, "everything, as one JSON object")
    parser.add_argument("--endpoint", choices=IDS, help="only this one")
    parser.add_argument(
        "--engraftment", action="store_true", help="instead, the engraftment of each participant"
    )
    parser.add_argument(
        "--groups", type=Path, metavar="FILE",
        help="instead, each endpoint by group, with Gray's test: a CSV file `participant,group`",
    )  # fmt: skip
    parser.add_argument("--clock", choices=get_args(EndpointClock), help="only with this day 0")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE",
        help="also draw it (.svg or .png); without --endpoint one file for each, FILE-nrm and so"
        " on; from transplant, or as --clock says",
    )  # fmt: skip
    explain_columns(parser, ENDPOINTS, ADVERSE_EVENTS, ENGRAFTMENT, GROUPS)
