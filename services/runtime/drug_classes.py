"""The strict reader of ``drug_classes.csv``, the one table of drugs that decide between grades."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from services.runtime.data_tables import load_rows
from services.vocabulary.drug import ClassifiedDrug, DrugClass

FILE, COLUMNS = "drug_classes.csv", "drug,class,counts,source"
_COUNTS_EACH_DOSE = {"each dose": True, "while it runs": False}
_SOURCE = re.compile(r"ATC [A-Z][0-9]{2}[A-Z]([A-Z]([0-9]{2})?)?")


@cache
def load_drug_classes() -> Mapping[str, ClassifiedDrug]:
    """Return every classified drug by name, in the order of the table.

    Raises:
        UntrustedFileError: A line of the table cannot be read; the message names it.
    """
    return load_rows(FILE, COLUMNS, read_drug)


def read_drug(cells: Sequence[str]) -> ClassifiedDrug:
    """Return the drug of a row.

    >>> read_drug(["heparin", "anticoagulant", "while it runs", "ATC B01AB01"]).counts_each_dose
    False

    Raises:
        ValueError: Its name is empty, or a class, what counts or a source is unknown.
    """
    name, drug_class, counts, source = cells
    if not name:
        raise ValueError("the drug has no name")
    if counts not in _COUNTS_EACH_DOSE:
        raise ValueError(f"{counts!r} is none of {', '.join(_COUNTS_EACH_DOSE)}")
    if not _SOURCE.fullmatch(source):
        raise ValueError(f"{source!r} is no source: ATC CODE")
    return ClassifiedDrug(name, DrugClass(drug_class), _COUNTS_EACH_DOSE[counts], source)
