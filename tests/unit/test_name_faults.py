"""Names in a protocol that the criteria do not know: each with its place, and a near name."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.name_faults import find_name_faults
from services.vocabulary.protocol import TermSet
from services.vocabulary.protocol_event import EventPattern
from tests.helpers.dosing_course import load_trial_rules
from tests.helpers.random_trials import RULES


def list_faults(rules, /, **changes):
    protocol = replace(rules.protocol, **changes)
    return [": ".join(fault) for fault in find_name_faults(replace(rules, protocol=protocol))]


def make_rules(*patterns):
    return (replace(RULES.protocol.rules[0], any_of=patterns),)


EVENT = f"rules.{RULES.protocol.rules[0].id}.event.any_of"
SCALES = "astct-2019.crs, astct-2019.icans, magic-2016.acute-gvhd, nih-2014.chronic-gvhd"
EVENTS = {  # patterns of a rule; the faults
    "known": (
        (
            EventPattern(scale="astct-2019.crs"),
            EventPattern(term="anemia"),
            EventPattern(term_set="non-hematologic"),
            EventPattern(fact="death"),
        ),
        [],
    ),
    "the term of a scale": ((EventPattern(term="cytokine-release-syndrome"),), []),
    "a scale": (
        (EventPattern(scale="astct-2019.cars"),),
        [f"{EVENT}.1.scale: 'astct-2019.cars' is no scale; it is one of: {SCALES}"],
    ),
    "the second pattern": (
        (EventPattern(term="anemia"), EventPattern(term_set="hematologic")),
        [f"{EVENT}.2.term_set: 'hematologic' is not in term_sets"],
    ),
    "a term with a near one": (
        (EventPattern(term="anemai"),),
        [f"{EVENT}.1.term: 'anemai' is not in ctcae-5.0; did you mean 'anemia'?"],
    ),
    "a term with none near": (
        (EventPattern(term="qqqqqq"),), [f"{EVENT}.1.term: 'qqqqqq' is not in ctcae-5.0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("patterns", "expected"), EVENTS.values(), ids=EVENTS)
def test_an_event_names_scales_terms_and_sets_that_there_are(patterns, expected):
    assert list_faults(RULES, rules=make_rules(*patterns)) == expected


def test_the_protocols_of_tests_and_of_the_trial_name_nothing_unknown():
    assert list_faults(RULES) == []
    assert list_faults(load_trial_rules()) == []


SETS = {
    "a class": (
        TermSet(without_socs=("Blood disorders",)), "without_socs: 'Blood disorders' is not in",
    ),
    "a term left out": (TermSet(without_terms=("qqqqqq",)), "without_terms: 'qqqqqq' is not in"),
    "a term alone": (TermSet(only=("qqqqqq",)), "only: 'qqqqqq' is not in"),
}  # fmt: skip


@pytest.mark.parametrize(("term_set", "expected"), SETS.values(), ids=SETS)
def test_a_set_names_classes_and_terms_of_the_table(term_set, expected):
    term_sets = {**RULES.protocol.term_sets, "odd": term_set}
    (fault,) = list_faults(RULES, term_sets=term_sets)
    assert fault.startswith(f"term_sets.odd.{expected}")


def test_terms_to_confirm_after_a_steroid_are_of_the_table():
    laboratory = replace(RULES.protocol.laboratory, only_confirmed_after_steroid=("qqqqqq",))
    assert list_faults(RULES, laboratory=laboratory) == [
        "laboratory.only_confirmed_after_steroid: 'qqqqqq' is not in ctcae-5.0"
    ]


def test_rules_of_dosing_name_terms_and_measures_of_the_table():
    rules = load_trial_rules()
    dosing = rules.protocol.dosing
    wrong_rules = {
        "liver": replace(dosing.rules["liver"], over_uln={"atl": Decimal(5), "alt": Decimal(5)}),
        "crs": replace(
            dosing.rules["crs"], any_of=(EventPattern(term="anemia"), EventPattern(term="qqqqqq"))
        ),
    }
    faults = list_faults(rules, dosing=replace(dosing, rules={**dosing.rules, **wrong_rules}))
    assert sorted(faults) == [
        f"dosing.rules.crs.any_of.2.term: 'qqqqqq' is not in {rules.protocol.criteria}",
        f"dosing.rules.liver.over_uln: 'atl' is no measure of {rules.protocol.criteria}",
    ]
    assert list_faults(rules, dosing=None) == []
