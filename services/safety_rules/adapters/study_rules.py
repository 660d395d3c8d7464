"""A study's folder and the criteria that it names, together: all that the rules run by."""

from dataclasses import dataclass
from pathlib import Path

from services.runtime.drug_classes import load_drug_classes
from services.runtime.measures import load_measures
from services.safety_rules.adapters.criteria_files import CriteriaTable, load_table
from services.safety_rules.adapters.protocol_files import (
    PROTOCOL,
    Study,
    load_study,
)
from services.safety_rules.adapters.rules_version import find_table, rules_version
from services.safety_rules.domain.ctcae.name_faults import find_name_faults
from services.safety_rules.domain.ctcae.rule_book import Rules


@dataclass(frozen=True, slots=True)
class StudyRules:
    """The rules that run, and the files that they were read from."""

    rules: Rules
    study: Study
    table: CriteriaTable


def load_rules(folder: Path, name: str = PROTOCOL) -> StudyRules:
    """Return the rules of the study in *folder*; its protocol is the file called *name*.

    Its version changes with the edition of the code, and with the meaning of criteria or protocol.

    Raises:
        UntrustedFileError: A file of the study or of its criteria cannot be trusted, or the study
            names what its criteria lack.
    """
    study = load_study(folder, name)
    table = load_table(find_table(study.document))
    version = rules_version(table.name, study.document)
    rules = Rules(
        study.protocol, table.compiled, table.terms, version, load_measures(), load_drug_classes()
    )
    if faults := list(find_name_faults(rules)):
        raise study.document.refusal(faults)
    return StudyRules(rules, study, table)
