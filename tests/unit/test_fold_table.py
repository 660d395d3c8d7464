"""Tables and text that fold to the terminal, and stay whole in a pipe."""

import sys

import pytest

from services.cli.shared import terminal_width
from services.cli.shared.columns import RECORDS, list_headings
from services.cli.shared.fold_table import fold_table
from services.cli.shared.terminal_width import (
    find_terminal_width,
    fold_line,
    print_error,
    print_text,
)

HEAD = list_headings(RECORDS)
SYNDROME = "Immune effector cell-associated neurotoxicity syndrome (ASTCT)"
ROW = (
    *("P-001", SYNDROME, "2-4", "-", "72", "3", "2026-03-12 12:00", "2026-03-14 12:00"),
    *("suspected, possible, before exposure", "28816f9d"),
)
WIDTHS = (20, 60, 80, 100, 108, 109, 120, 121, 150, 190, 300)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(width):
    lines = fold_table(HEAD, [ROW], width)
    longest_word = max(len(word) for word in " ".join(ROW).split())
    assert max(map(len, lines)) <= max(width, longest_word + 4)
    text = " ".join(lines)
    assert all(word in text for cell in ROW for word in cell.split())


def test_a_table_with_room_or_in_a_pipe_has_a_line_for_each_row():
    lines_in_pipe = fold_table(HEAD, [ROW, ROW], None)
    assert len(lines_in_pipe) == 3
    width = max(map(len, lines_in_pipe))
    assert fold_table(HEAD, [ROW, ROW], width) == lines_in_pipe
    assert len(fold_table(HEAD, [ROW, ROW], width - 1)) > 3


@pytest.mark.parametrize(("width", "is_whole"), [(150, True), (121, True), (120, False)])
def test_a_date_stays_beside_its_time_while_there_is_room(width, is_whole):
    lines = fold_table(HEAD, [ROW], width)
    assert any("2026-03-12 12:00" in line for line in lines) is is_whole


@pytest.mark.parametrize(("width", "has_columns"), [(109, True), (108, False)])
def test_a_row_is_a_paragraph_where_no_columns_fit(width, has_columns):
    lines = fold_table(HEAD, [ROW], width)
    assert lines[0].startswith("participant") is has_columns
    if not has_columns:
        assert "    worst: 2-4; now: -; transplant day: 72; treatment day: 3" in lines[1]


def test_a_table_without_rows_has_its_head():
    assert fold_table(("rule", "events"), [], 80) == ["rule  events"]


# a line, the columns, what is shown
LINES = {
    "short": ("grade 3: fever", 20, ["grade 3: fever"]),
    "as wide as the terminal": ("grade 3: fever", 14, ["grade 3: fever"]),
    "wider by one": ("grade 3: fever", 13, ["grade 3:", "  fever"]),
    "indented": ("    grade 3: fever", 14, ["    grade 3:", "      fever"]),
    "a word too long": ("a 28816f9d-3b0c", 8, ["a", "  28816f9d-3b0c"]),
    "in a pipe": ("grade 3: fever", None, ["grade 3: fever"]),
}


@pytest.mark.parametrize(("line", "width", "expected"), LINES.values(), ids=LINES)
def test_a_line_of_text(line, width, expected):
    assert fold_line(line, width) == expected


def test_a_pipe_has_no_width():
    assert find_terminal_width() is None


def test_text_is_printed_as_it_is_in_a_pipe(capsys):
    text = f"{'fever ' * 40}\n\n    indented"
    print_text(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_text_is_folded_line_by_line_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(terminal_width, "find_terminal_width", lambda: 16)
    print_text("grade 3: fever, hypotension\n\n  indented")
    assert capsys.readouterr().out == "grade 3: fever,\n  hypotension\n\n  indented\n"


def test_an_error_is_folded_in_a_terminal_and_nowhere_else(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    print_error("aegis design: --n must be whole")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    print_error("aegis design: --n must be whole")
    folded = "aegis design: --n\n  must be whole\n"
    assert capsys.readouterr().err == f"aegis design: --n must be whole\n{folded}"


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "97")
    assert find_terminal_width() == 97
