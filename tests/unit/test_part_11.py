"""The table of 21 CFR 11 and ICH E6(R3) names tests that there are, and is current."""

from tests.helpers import part_11_table
from tests.helpers.part_11_table import OF_THE_SPONSOR, find_proofs, load_requirements, write_table


def test_the_page_is_current():
    page = (part_11_table.ROOT / "docs" / "part-11.md").read_text()
    assert page == write_table(), "run `make part-11`"


def test_each_paragraph_has_a_test_or_is_the_sponsors():
    proofs = find_proofs()
    unproven = {
        one.paragraph for one in load_requirements() if not one.answer.startswith(OF_THE_SPONSOR)
    }
    assert unproven - proofs.keys() == set()


def test_each_mark_names_a_paragraph():
    assert find_proofs().keys() - {one.paragraph for one in load_requirements()} == set()
