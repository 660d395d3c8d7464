"""The version of the rules: meaning changes it, wording and layout do not."""

from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from services.runtime.drug_classes import load_drug_classes
from services.runtime.measures import load_measures
from services.runtime.strict_yaml import read_yaml
from services.safety_rules.adapters.rules_version import (
    TABLES,
    criteria_meaning,
    protocol_meaning,
    rules_version,
)
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.edition import EDITION

FOLDER = Path(__file__).parent.parent.parent / "studies" / "blina-hsct"
PROTOCOL = (FOLDER / "protocol.yaml").read_text()


def read(text):
    return read_yaml(text, "protocol.yaml")


def rewrite_table(folder, name, original, rewritten):
    """A copy of the whole of CTCAE v5 in which *original* is *rewritten* in the file *name*."""
    for file in (TABLES / "ctcae-5.0").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    text = (folder / name).read_text()
    assert original in text
    (folder / name).write_text(text.replace(original, rewritten, 1))
    return folder


@pytest.mark.parametrize(
    ("file", "original", "rewritten"),
    [
        ("investigations.yaml", "terms:", "# from here on\nterms:"),
        ("investigations.yaml", '"> 3.0 x ULN"', "'> 3.0 x ULN'"),
        ("assessed.yaml", "terms:", "# by whom?\n    terms:"),
        ("criteria.lock", "\n", "\n# signed\n"),
    ],
)
def test_wording_of_criteria_files_does_not_count(tmp_path, file, original, rewritten):
    copy = rewrite_table(tmp_path, file, original, rewritten)
    assert criteria_meaning(copy) == criteria_meaning(TABLES / "ctcae-5.0")


@pytest.mark.parametrize(
    ("file", "original", "rewritten"),
    [
        ("investigations.yaml", '"> 3.0 x ULN"', '"> 3.1 x ULN"'),
        ("terms.csv", "Anemia", "Anaemia"),
    ],
)
def test_a_threshold_or_a_term_does(tmp_path, file, original, rewritten):
    copy = rewrite_table(tmp_path, file, original, rewritten)
    assert criteria_meaning(copy) != criteria_meaning(TABLES / "ctcae-5.0")


def test_a_comment_or_another_layout_of_the_protocol_is_the_same_rules():
    flow = yaml.safe_dump(yaml.safe_load(PROTOCOL), sort_keys=False, default_flow_style=True)
    assert protocol_meaning(read(PROTOCOL)) == protocol_meaning(read("# a draft\n" + PROTOCOL))
    assert protocol_meaning(read(PROTOCOL)) == protocol_meaning(read(flow))


def test_another_number_or_another_order_of_rules_is_not():
    in_order = yaml.safe_load(PROTOCOL)
    in_order["dosing"]["rules"] = dict(reversed(in_order["dosing"]["rules"].items()))
    reordered_protocol = yaml.safe_dump(in_order, sort_keys=False)
    meanings = {
        protocol_meaning(read(text))
        for text in (PROTOCOL, PROTOCOL.replace("p0: 0.05", "p0: 0.06"), reordered_protocol)
    }
    assert len(meanings) == 3


@pytest.mark.part11("4.3.5")
def test_table_protocol_and_edition_each_make_another_version():
    versions = {
        rules_version("ctcae-5.0", read(PROTOCOL), 1),
        rules_version("ctcae-6.0", read(PROTOCOL), 1),
        rules_version("ctcae-5.0", read(PROTOCOL.replace("n: 40", "n: 41")), 1),
        rules_version("ctcae-5.0", read(PROTOCOL), 2),
    }
    assert len(versions) == 4


def test_it_is_the_version_of_the_rules_that_run():
    assert load_rules(FOLDER).rules.version == rules_version("ctcae-5.0", read(PROTOCOL))


# of the columns that the version does not hash; only ever added to
DIGESTS_BY_EDITION = {
    1: "e4b598ed2cbb48af",
    2: "55dd048763ac0523",
    3: "db908e5cbba56d9d",
    4: "db908e5cbba56d9d",
}


def test_the_edition_changes_with_the_data_that_the_version_does_not_hash():
    measures = [m for m in load_measures().values() if m.plausible]
    kinds = sorted((m.name, str(m.kind), repr(m.ion)) for m in measures)
    settings = sorted((m.name, str(m.plausible)) for m in measures if m.kind == "setting")
    drugs = sorted(
        (drug.name, str(drug.drug_class), drug.counts_each_dose)
        for drug in load_drug_classes().values()
    )
    normal_values = sorted((m.name, str(m.normal)) for m in measures if m.normal)
    digest = sha256(repr((kinds, settings, drugs, normal_values)).encode()).hexdigest()[:16]
    assert DIGESTS_BY_EDITION.get(EDITION) == digest, "raise EDITION, and add its digest here"
