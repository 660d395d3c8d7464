"""Terms and scales of a study: their titles, the sets that they are in, causes of death."""

from dataclasses import replace

import pytest

from services.vocabulary.protocol import TermSet
from services.vocabulary.protocol_event import EventPattern
from tests.helpers.random_trials import RULES

SETS = {
    "no-blood": TermSet(without_socs=("Blood and lymphatic system disorders",)),
    "no-nerves": TermSet(without_socs=("Nervous system disorders",)),
    "no-crs": TermSet(without_terms=("cytokine-release-syndrome",)),
    "anemia-only": TermSet(only=("anemia", "chronic-graft-versus-host-disease")),
}
RULES_WITH_SETS = replace(RULES, protocol=replace(RULES.protocol, term_sets=SETS))
CRS, ICANS = "astct-2019.crs", "astct-2019.icans"
ACUTE_GVHD, CHRONIC_GVHD = "magic-2016.acute-gvhd", "nih-2014.chronic-gvhd"
ANEMIA, TREMOR = "ctcae-5.0.anemia", "ctcae-5.0.tremor"

MATCHES = {  # a criterion, the term or the set of an event; does it match?
    "a term": (ANEMIA, EventPattern(term="anemia"), True),
    "another term": (TREMOR, EventPattern(term="anemia"), False),
    "a scale by its term": (CRS, EventPattern(term="cytokine-release-syndrome"), True),
    "a class that is left out": (ANEMIA, EventPattern(term_set="no-blood"), False),
    "another class": (TREMOR, EventPattern(term_set="no-blood"), True),
    "the class of a scale": (ICANS, EventPattern(term_set="no-nerves"), False),
    "another scale": (CRS, EventPattern(term_set="no-nerves"), True),
    "a term that is left out": (CRS, EventPattern(term_set="no-crs"), False),
    "another term than the one left out": (ANEMIA, EventPattern(term_set="no-crs"), True),
    "one of those named": (ANEMIA, EventPattern(term_set="anemia-only"), True),
    "none of those named": (TREMOR, EventPattern(term_set="anemia-only"), False),
    "an endpoint that is named": (CHRONIC_GVHD, EventPattern(term_set="anemia-only"), True),
    "an endpoint, in a set that does not name it": (
        ACUTE_GVHD,
        EventPattern(term_set="no-blood"),
        False,
    ),
}


@pytest.mark.parametrize(("criterion", "pattern", "expected"), MATCHES.values(), ids=MATCHES)
def test_a_criterion_is_of_a_term_or_in_a_set(criterion, pattern, expected):
    assert RULES_WITH_SETS.matches_pattern(criterion, pattern) is expected


CAUSES = {  # a cause of death as written; the criterion
    "astct-2019.crs": CRS,
    "crs": CRS,
    "CRS": CRS,
    "Cytokine release syndrome": CRS,
    "ctcae-6.0.cytokine-release-syndrome": CRS,
    "acute-gvhd": ACUTE_GVHD,
    "anemia": ANEMIA,
    "ctcae-6.0.anemia": ANEMIA,
    "Death  NOS": "ctcae-5.0.death-nos",
    "relapse": "",
    "": "",
}


@pytest.mark.parametrize(("cause", "criterion"), CAUSES.items())
def test_a_cause_of_death_is_a_scale_or_a_term_of_the_study(cause, criterion):
    assert RULES.find_cause_of_death(cause) == criterion


@pytest.mark.parametrize(
    ("criterion", "title", "is_term", "is_laboratory"),
    [
        (ANEMIA, "Anemia", True, True),
        (TREMOR, "Tremor", True, False),
        ("ctcae-5.0.fever", "Fever", True, False),
        (CRS, "Cytokine release syndrome (ASTCT)", False, False),
    ],
)
def test_a_criterion_has_its_published_title(criterion, title, is_term, is_laboratory):
    assert RULES.find_title(criterion) == title
    assert RULES.has_term(criterion) is is_term
    assert RULES.is_laboratory(criterion) is is_laboratory


@pytest.mark.parametrize("name", ["anemia", "ctcae-6.0.anemia", "ctcae-5.0.anemi"])
def test_what_is_no_term_of_the_table_has_no_title(name):
    assert not RULES.has_term(name)
