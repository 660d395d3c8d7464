"""A protocol as a document: what does not fit on a page goes on the next, the curves last."""

import pytest

from services.charts.chart_content import Marks, PlottedRule, Sheet
from services.charts.document import draw_pages, write_document

CURVES = PlottedRule("rule", (1, 2, 3), (2, 2, 3), (0.0, 0.5, 1.0), (0.0, 0.25, 1.0))


def sheet(lines, curves=None):
    items = tuple((f"word {k}", "said") for k in range(lines))
    return Sheet("TRIAL.S1", items, (), curves, Marks(0.2, 0.1), 3)


@pytest.mark.parametrize(
    ("lines", "curves", "counts"),
    [
        (35, CURVES, [2]),
        (36, CURVES, [0, 2]),
        (57, CURVES, [0, 2]),
        (56, None, [0]),
        (57, None, [0, 0]),
        (0, None, [0]),
    ],
)
def test_words_then_curves_on_as_many_pages_as_they_need(lines, curves, counts):
    sheets = list(draw_pages("TRIAL", [sheet(lines, curves)]))
    assert [len(page.axes) for page in sheets] == counts
    words = [text.get_text() for page in sheets for text in page.texts]
    assert words.count("said") == lines
    assert f"1 of {len(counts)}" in words


def test_every_page_lies_within_its_edges():
    for page in draw_pages("TRIAL", [sheet(56), sheet(35, CURVES)]):
        for text in page.texts:
            assert 0.02 < text.get_position()[1] < 0.98


def test_long_words_are_wrapped_and_a_table_keeps_its_columns():
    sheet_of_words = Sheet(
        "S", (("why", "because " * 40),), (("rate", "P(stop)"), ("0.2", "0.0996"))
    )
    (page,) = draw_pages("TRIAL", [sheet_of_words])
    words = [text.get_text() for text in page.texts]
    assert max(map(len, words)) <= 84
    positions = {text.get_text(): text.get_position()[0] for text in page.texts}
    assert positions["rate"] == positions["0.2"] < positions["P(stop)"] == positions["0.0996"]


def test_a_document_is_pdf():
    assert write_document("TRIAL", [sheet(1)]).startswith(b"%PDF")
