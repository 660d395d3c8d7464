"""Where the commands find the study, the data and the keys."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.cli.command import CommandError
from services.runtime.settings import DataSettings
from services.safety_rules.adapters.criteria_files import CriteriaFileError
from services.safety_rules.adapters.protocol_files import ProtocolFileError
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.rules import Rules
from services.store import schema
from services.store.session import Database
from services.store.vault import KeyFault, Keys
