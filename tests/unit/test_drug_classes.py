"""The table of drug classes: complete, without doubles, with sources; and its reader."""

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.runtime.data_tables import read_rows
from services.runtime.drug_classes import COLUMNS, FILE, load_drug_classes, read_drug
from services.runtime.file_error import UntrustedFileError
from services.safety_rules.domain.ctcae.concomitant_drugs import list_affected_measures
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.drug import DrugClass
from tests.helpers.fact_notes import fact
from tests.helpers.lab_reading import TABLES

DRUGS = load_drug_classes()


def test_every_class_has_drugs_and_a_measure_that_a_criterion_grades():
    assert {drug.drug_class for drug in DRUGS.values()} == set(DrugClass)
    for name in DRUGS:
        measures = list_affected_measures(fact(Administration(name, Action.DOSE)), DRUGS)
        assert measures
        assert all(measure in TABLES["5"].compiled.by_measure for measure in measures)


def test_every_drug_has_a_name_in_the_feeds():
    assert DRUGS.keys() <= set(load_code_tables().drugs.values())


def test_the_code_of_a_class_is_a_code_of_its_drug_in_the_feeds():
    code_tables = load_code_tables()
    for drug in DRUGS.values():
        code = drug.source.removeprefix("ATC ").lower()
        codes = {c for c, name in code_tables.drugs.items() if name == drug.name}
        assert any(one.startswith(code) for one in codes), drug.name


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (",insulin,each dose,ATC A10A", "the drug has no name"),
        ("x,insulins,each dose,ATC A10A", "'insulins' is not a valid DrugClass"),
        ("x,insulin,each,ATC A10A", "'each' is none of each dose, while it runs"),
        ("x,insulin,each dose,ours", "'ours' is no source"),
        ("heparin,insulin,each dose,ATC A10A", "heparin stands twice"),
        ("x,insulin", "2 cells instead of"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, problem):
    text = f"{COLUMNS}\nheparin,anticoagulant,while it runs,ATC B01AB01\n{line}\n"
    with pytest.raises(UntrustedFileError, match=f"^drug_classes.csv line 3: {problem}"):
        read_rows(FILE, text, COLUMNS, read_drug)
