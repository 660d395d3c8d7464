"""Documents of a protocol's authors: the statistical plan in four formats, and decision cards."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import docx
import pytest

from services.charts.cards import Card, split_card, write_cards
from services.cli.commands.protocol_explain import list_planned_rules
from services.cli.main import main
from services.cli.shared.read_study import read_study
from services.reports.blocks import Heading, Paragraph, Table
from services.reports.document_formats import FORMATS, write_csv, write_docx, write_rtf
from services.reports.statistical_plan import write_statistical_plan
from tests.helpers.person_time import write_person_time_study

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"
DESIGN = "design --p0 .05 --p1 .2 --n 20 --alpha .1"
BLOCKS = [
    Heading("Title", 1),
    Paragraph("Größe ≥ 5 {a}\\b, 😀"),
    Table("Table 1.", ("head", "other"), (("1", "x|y"), ("=1+1", "-2"))),
]


@pytest.fixture(scope="module")
def planned_rules():
    return list_planned_rules(read_study(STUDY))


def test_each_rule_has_a_paragraph_and_two_tables_numbered_through(planned_rules):
    blocks = write_statistical_plan("Stopping rules", "v1", planned_rules)
    tables = [block for block in blocks if isinstance(block, Table)]
    assert len(tables) == 2 * len(planned_rules)
    assert [table.caption.split(".")[0] for table in tables] == [
        f"Table {number + 1}" for number in range(len(tables))
    ]
    assert tables[0].rows[:2] == (("2 to 4", "2"), ("5 to 11", "3"))
    assert ("0.05", "0.04804", "38.82", "1.94") in tables[1].rows
    (paragraph, *_) = [b for b in blocks if isinstance(b, Paragraph) and "Table 1" in b.text]
    for words in ("beta-binomial", "prior 0.1, 1.9", "up to 40", "exceed 0.05", "attains 0.04804"):
        assert words in paragraph.text


def test_looks_and_what_is_not_calibrated_are_said(planned_rules):
    rule = planned_rules[0]
    grouped = replace(rule.design, looks=(10, 20), boundary=(3, 4))
    posterior = replace(rule.design, family="posterior")
    rules = [replace(rule, design=grouped), replace(rule, design=posterior)]
    texts = [b.text for b in write_statistical_plan("", "", rules) if isinstance(b, Paragraph)]
    assert "After 10, 20 evaluable participants," in texts[1]
    assert "The boundary is not calibrated; its exact type I error is 0.04804." in texts[2]


def test_a_rule_of_person_time_has_its_own_words(tmp_path):
    rules = list_planned_rules(read_study(write_person_time_study(tmp_path)))
    texts = [b.text for b in write_statistical_plan("", "", rules) if isinstance(b, Paragraph)]
    assert any("up to a person-time of 3.2 from 0.1 on," in text for text in texts)


def test_word_reads_the_docx_and_its_bytes_are_the_same_each_time():
    content = write_docx(BLOCKS)
    document = docx.Document(io.BytesIO(content))
    assert [paragraph.text for paragraph in document.paragraphs][:3] == [
        "Title",
        BLOCKS[1].text,
        "Table 1.",
    ]
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["head", "other"],
        ["1", "x|y"],
        ["=1+1", "-2"],
    ]
    assert document.core_properties.author == "Aegis"


def test_rtf_escapes_its_own_characters_and_all_that_is_no_ascii():
    text = write_rtf(BLOCKS).decode("ascii")
    assert r"Gr\u246?\u223?e \u8805? 5 \{a\}\\b, \u-10179?\u-8704?" in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.count(r"\row") == 3


def test_csv_has_the_tables_alone_and_no_formula():
    rows = list(csv.reader(io.StringIO(write_csv(BLOCKS).decode("utf-8-sig"))))
    assert rows == [["Table 1."], ["head", "other"], ["1", "x|y"], ["'=1+1", "-2"], []]


@pytest.mark.parametrize("form", FORMATS)
def test_the_plan_of_a_protocol_is_written_in_each_format(form, tmp_path):
    file = tmp_path / f"plan{form}"
    assert main(["protocol", "explain", str(STUDY), "--sap", str(file)]) == 0
    content = file.read_bytes()
    assert len(content) > 2000
    if form != ".docx":
        assert b"BLINA-HSCT.W3" in content


def test_a_design_is_written_too(tmp_path):
    plan, script, cards = tmp_path / "d.md", tmp_path / "d.R", tmp_path / "c.pdf"
    line = f"{DESIGN} --sap {plan} --r {script} --cards {cards}"
    assert main(line.split()) == 0
    assert plan.read_text().count("## ") == 8
    assert 'family = "chen-chaloner"' in script.read_text()
    assert cards.read_bytes().startswith(b"%PDF")


def test_designs_of_person_time_are_written_too(tmp_path, capsys):
    plan, script, cards = tmp_path / "d.md", tmp_path / "d.R", tmp_path / "c.pdf"
    line = "design --person-time --p0 .08 --p1 .2 --window-days 183 --n 20 --alpha .1"
    assert main(f"{line} --sap {plan} --r {script} --cards {cards}".split()) == 0
    capsys.readouterr()
    assert plan.read_text().count("## ") == 6
    assert 'family = "poisson-maxsprt"' in script.read_text()
    assert cards.read_bytes().startswith(b"%PDF")


def test_a_rule_that_only_watches_is_no_matter_of_the_board(planned_rules):
    texts = {rule.id: write_statistical_plan("", "", [rule])[3].text for rule in planned_rules}
    board = "review by the data and safety monitoring board is required"
    assert {name for name, text in texts.items() if board in text} == {
        rule.id for rule in planned_rules if not rule.is_watch_only
    }
    assert "watched only, and never alerts" in texts["BLINA-HSCT.W1"]


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("--sap {}/none/plan.md", "--sap"),
        ("--r {}/none/rules.R", "--r"),
        ("--cards {}/none/cards.pdf", "--cards"),
        ("--sap {}/plan.pdf", "must end with .docx, .rtf, .md or .csv"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(flag, problem, tmp_path, capsys):
    try:
        code = main(f"{DESIGN} {flag.format(tmp_path)}".split())
    except SystemExit as exit_info:
        code = exit_info.code
    assert code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("--cards {}/none/cards.pdf", "none/cards.pdf cannot be written: No such file"),
        ("--cards {}/folder.pdf", "folder.pdf cannot be written: Is a directory"),
        ("--plot {}/none/plot.svg", "--plot"),
        ("--cards {0}/two.pdf --plot {0}/two.pdf", "another file of this command has that name"),
    ],
)
def test_all_files_of_a_command_are_written_or_none(flag, problem, tmp_path, capsys):
    (tmp_path / "folder.pdf").mkdir()
    plan = tmp_path / "plan.md"
    plan.write_text("the plan of last week")
    line = f"{DESIGN} --sap {plan} --r {tmp_path}/rules.R {flag.format(tmp_path)}"
    assert main(line.split()) == 2
    assert problem in capsys.readouterr().err
    assert plan.read_text() == "the plan of last week"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder.pdf", "plan.md"]


def test_a_file_that_is_a_link_stays_one(tmp_path):
    target = tmp_path / "kept.md"
    (tmp_path / "plan.md").symlink_to(target)
    assert main(f"{DESIGN} --sap {tmp_path}/plan.md".split()) == 0
    assert (tmp_path / "plan.md").is_symlink()
    assert target.read_text().count("## ") == 8


def test_a_card_with_many_rows_goes_on_on_the_next_page():
    rows = tuple((f"{k}", f"{k}") for k in range(1, 66))
    card = Card("Event", "", "participants", rows, "", "")
    pages = list(split_card(card))
    assert [len(page.rows) for page in pages] == [32, 32, 1]
    assert tuple(row for page in pages for row in page.rows) == rows
    assert [page.title for page in pages] == ["Event", *["Event (continued)"] * 2]
    assert write_cards("head", [card]) == write_cards("head", [card])
