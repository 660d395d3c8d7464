"""The progress of a slow command, for who looks at a terminal."""

import pytest

from services.cli.shared.progress_line import show_progress


def test_a_terminal_sees_how_far_it_is_and_nothing_at_the_end(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with show_progress("rows simulated") as count_row:
        count_row()
        count_row()
    out, err = capsys.readouterr()
    assert [one.strip() for one in err.split("\r\x1b[K")] == [
        "",
        "0 rows simulated ...",
        "1 rows simulated ...",
        "2 rows simulated ...",
        "",
    ]
    assert out == ""


def test_the_line_goes_when_the_command_fails(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with pytest.raises(ValueError, match="rates"), show_progress("rows"):
        raise ValueError("rates")
    assert capsys.readouterr().err.endswith("\r\x1b[K")


def test_a_file_gets_no_line(capsys):
    with show_progress("rows simulated") as count_row:
        count_row()
    assert capsys.readouterr() == ("", "")
