"""The rules by which stored data run, from the protocol that the database keeps.

Its tables were recomputed and its names checked before it was activated (`study_rules`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from services.runtime.drug_classes import load_drug_classes
from services.runtime.file_models import read_model
from services.runtime.measures import load_measures
from services.runtime.strict_yaml import read_yaml
from services.safety_rules.adapters.criteria_files import CriteriaTable, load_table
from services.safety_rules.adapters.protocol_rows import ProtocolFile
from services.safety_rules.adapters.rules_version import find_table, rules_version
from services.safety_rules.domain.ctcae.rule_book import Rules


@dataclass(frozen=True, slots=True)
class ActivatedRules:
    """The rules of an activated protocol, and its table of criteria."""

    rules: Rules
    table: CriteriaTable


def read_activated_rules(
    content: str, version: str, timezones: Mapping[str, str]
) -> ActivatedRules:
    """Return the rules of the protocol file whose text is *content*.

    Args:
        content: Of a protocol file that was activated.
        version: Of the protocol, for what is said when it cannot be read.
        timezones: Of the sites, by id; a site that is not there is in UTC.

    Raises:
        UntrustedFileError: This release cannot read the protocol, or its criteria.
    """
    document = read_yaml(content, f"protocol {version}")
    digest = sha256(content.encode()).hexdigest()
    protocol = read_model(document, ProtocolFile).value(timezones, digest, ())
    table = load_table(find_table(document))
    rules = Rules(
        protocol,
        table.compiled,
        table.terms,
        rules_version(table.name, document),
        load_measures(),
        load_drug_classes(),
    )
    return ActivatedRules(rules, table)
