"""The dosing part of the protocol file: it agrees with the label; a file with a slip is refused."""

from pathlib import Path
from shutil import copytree

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.runtime.file_error import UntrustedFileError
from services.safety_rules.adapters.study_rules import load_rules
from services.vocabulary.dosing import DoseAction
from tests.helpers.dosing_course import load_trial_rules

STUDY = Path("studies/blina-hsct")


def test_the_trials_doses_are_those_of_its_course():
    dosing = load_trial_rules().protocol.dosing
    steps = [(s.first, s.last, str(s.rate.value), s.rate.unit) for s in dosing.schedule]
    assert steps == [(1, 2, "8", "ug/d"), (3, 7, "16", "ug/d")]
    assert dosing.restart_is_assumed


def test_the_trials_rules_are_those_of_the_label():
    actions = {
        name: {grade: what.do for grade, what in rule.at_grade.items()}
        for name, rule in load_trial_rules().protocol.dosing.rules.items()
        if rule.at_grade
    }
    interrupt, withhold = DoseAction.INTERRUPT, DoseAction.WITHHOLD
    consider, discontinue = DoseAction.CONSIDER_DISCONTINUING, DoseAction.DISCONTINUE
    assert actions == {
        "crs": {3: interrupt, 4: discontinue},
        "neurotoxicity": {3: withhold, 4: discontinue},
        "other": {3: withhold, 4: consider},
    }


def test_the_trials_drugs_and_units_are_those_that_a_feed_can_say():
    tables = load_code_tables()
    protocol = load_trial_rules().protocol
    assert protocol.deviations.premedication.drug in tables.drugs.values()
    units = {step.rate.unit for step in protocol.dosing.schedule}
    units.add(protocol.deviations.premedication.dose.unit)
    assert {tables.units.find(unit) for unit in units} == units


# what stood there, what stands there now; the field, and what to do
SPOILT = {
    "a word that nobody knows": (
        "3: {do: interrupt}",
        "3: {do: pause}",
        ("dosing.rules.crs.at_grade.3.do", "none, interrupt,", "not 'pause'"),
    ),
    "a grade of six": ("4: {do: discontinue}", "6: {do: discontinue}", ("dosing.rules.crs", "6")),
    "a set that nobody knows": (
        "{term_set: neurotoxicity}]\n      at_grade",
        "{term_set: neurotoxcity}]\n      at_grade",
        ("dosing.rules.neurotoxicity.any_of.2.term_set", "is not in term_sets"),
    ),
    "a scale that nobody knows": (
        "any_of: [{scale: astct-2019.crs}]",
        "any_of: [{scale: astct-2018.crs}]",
        ("dosing.rules.crs.any_of.1.scale", "one of: astct-2019.crs"),
    ),
    "a term that nobody knows": (
        "any_of: [{scale: astct-2019.crs}]",
        "any_of: [{term: tremors}]",
        ("dosing.rules.crs.any_of.1.term", "did you mean 'tremor'?"),
    ),
    "two kinds of record in one": (
        "any_of: [{scale: astct-2019.crs}]",
        "any_of: [{scale: astct-2019.crs, term: tremor}]",
        ("dosing.rules.crs.any_of.1", "exactly one of scale, term and term_set"),
    ),
    "withheld without an end": (
        "3: {do: withhold, until_grade: 1, discontinue_after: 14d}",
        "3: {do: withhold, discontinue_after: 14d}",
        ("dosing.rules.other.at_grade.3", "withhold needs until_grade"),
    ),
    "an end of what is not withheld": (
        "3: {do: interrupt}",
        "3: {do: interrupt, until_grade: 1}",
        ("dosing.rules.crs.at_grade.3", "only what is withheld has until_grade"),
    ),
    "a measure that nobody knows": (
        "over_uln: {alt: 5,",
        "over_uln: {ALT: 5,",
        ("dosing.rules.liver.over_uln", "'ALT' is no measure of ctcae-5.0"),
    ),
    "a multiple of zero": (
        "over_uln: {alt: 5,",
        "over_uln: {alt: 0,",
        ("dosing.rules.liver.over_uln.alt", "greater than 0"),
    ),
    "two rules in one": (
        "seizures: {more_seizures_than: 1, apart: 24h,",
        "seizures: {more_seizures_than: 1, apart: 24h, over_uln: {alt: 5},",
        ("dosing.rules.seizures", "one of them"),
    ),
    "nothing to do": (
        "seizures: {more_seizures_than: 1, apart: 24h, do: discontinue}",
        "seizures: {more_seizures_than: 1, apart: 24h}",
        ("dosing.rules.seizures", "any_of goes with at_grade, the others with do"),
    ),
    "seizures without a time between them": (
        "{more_seizures_than: 1, apart: 24h,",
        "{more_seizures_than: 1,",
        ("dosing.rules.seizures", "apart goes with more_seizures_than"),
    ),
    "a laboratory's word about no records": (
        "{more_seizures_than: 1, apart: 24h,",
        "{more_seizures_than: 1, apart: 24h, laboratory_alone_from: 4,",
        ("dosing.rules.seizures", "laboratory_alone_from goes with any_of"),
    ),
    "a gap between two steps": (
        "{days: [3, 7], rate: 16 ug/d}",
        "{days: [4, 7], rate: 16 ug/d}",
        ("dosing", "a step begins on day 4, not on day 3"),
    ),
    "rates that cannot be compared": (
        "rate: 16 ug/d",
        "rate: 0.016 mg/d",
        ("dosing", "all rates are in one unit"),
    ),
    "a rate without a unit": (
        "rate: 16 ug/d",
        "rate: 16",
        ("dosing.schedule.2.rate", "written like 20 mg or 8 ug/d, not 16"),
    ),
    "days the wrong way round": (
        "first_course_on: [60, 90]",
        "first_course_on: [90, 60]",
        ("deviations", "day 60 comes before day 90"),
    ),
    "an unknown word of Hy's law": (
        "alp_below: 2",
        "alp_bellow: 2",
        ("hys_law.alp_bellow", "did you mean 'alp_below'?"),
    ),
    "an assumption about nothing": (
        "- dosing.restart",
        "- dosing.restarts",
        ("assumed", "'dosing.restarts' is not in the file"),
    ),
}


@pytest.mark.parametrize(("right", "slip", "says"), SPOILT.values(), ids=SPOILT)
def test_a_file_with_a_slip_is_refused_with_its_field(tmp_path, right, slip, says):
    study = copytree(STUDY, tmp_path / "study")
    text = (study / "protocol.yaml").read_text()
    assert right in text
    (study / "protocol.yaml").write_text(text.replace(right, slip, 1))
    with pytest.raises(UntrustedFileError) as refusal:
        load_rules(study)
    for words in ("protocol.yaml line ", *says):
        assert words in str(refusal.value)


def test_a_protocol_that_says_nothing_of_doses_recommends_nothing(tmp_path):
    study = copytree(STUDY, tmp_path / "study")
    text = (study / "protocol.yaml").read_text()
    start, end = text.index("# What grades and results ask"), text.index("alerts:\n")
    text = text[:start] + text[end:]
    for line in ("seizures.apart", "other.laboratory_alone_from"):
        text = text.replace(f"  - dosing.rules.{line}\n", "")
    text = text.replace("  - dosing.restart\n", "").replace("  - deviations.charted_within\n", "")
    (study / "protocol.yaml").write_text(text)
    protocol = load_rules(study).rules.protocol
    assert (protocol.dosing, protocol.hys_law, protocol.deviations) == (None, None, None)
