"""``aegis grade``: a table in, the same table with grades out, whatever stands in its rows."""

import csv
import io

import pytest

from services.cli.main import main
from services.safety_rules.reports.graded_rows import ADDED_COLUMNS

HEAD = "id,term,measure,value,unit,lln,uln,baseline,fasting,albumin,on_anticoagulant,symptomatic"


@pytest.fixture
def grade_rows(tmp_path, capsys):
    """Grade rows; return the rows that come out, as dictionaries."""

    def run_command(*rows, head=HEAD, criteria="ctcae-5.0"):
        path = tmp_path / "readings.csv"
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        code = main(["grade", str(path), "--criteria", criteria])
        graded_rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert code == any(row["error"] for row in graded_rows)
        return graded_rows

    return run_command


def describe(row):
    """``2``, ``0-4 for want of baseline``, or the error."""
    if row["error"]:
        return row["error"]
    if row["at_least"] == row["at_most"]:
        return row["at_least"]
    return f"{row['at_least']}-{row['at_most']} for want of {row['missing']}"


# how a row may be written, and what is said of it under v5
ROWS = {
    "by published name": (",Anemia,,9.5,g/dL,12,,,,,,", "2"),
    "in any case, with spaces": (",  aLAnine  aminotransferase increased ,,121,,,40,30,,,,", "2"),
    "by slug": (",neutrophil-count-decreased,,0.4,10*9/L,1.8,,,,,,", "4"),
    "by id": (",ctcae-5.0.anemia,,7.9,g/dL,12,,,,,,", "3"),
    "by MedDRA code": (",10001551,,201,U/L,,40,30,,,,", "3"),
    "in a laboratory's spelling of a unit": (",anemia,,79,gm/L,120,,,,,,", "3"),
    "in thousands per microlitre": (",10029366,,0.4,K/uL,1.8,,,,,,", "4"),
    "in a unit of its own": (",anemia,,9.5,g/dL,120 g/L,,,,,,", "2"),
    "with a comma in a number": (',Leukocytosis,,"100,001",/mm3,,,,,,,', "3"),
    "in milliequivalents": (",hyperkalemia,,6.1,mEq/L,,5.0,,,,,", "3"),
    "in degrees Fahrenheit": (",fever,,102.3,degF,,,,,,,", "2"),
    "as a bound": (",anemia,,<8.0,g/dL,12,,,,,,", "3"),
    "as a bound that leaves it open": (",anemia,,<=8.0,g/dL,12,,,,,,", "2-3 for want of value"),
    "without a value": (",anemia,,,g/dL,12,,,,,,", "0-3 for want of value"),
    "without a unit, in multiples": (",10001551,,801,,,40,30,,,,", "4"),
    "without a unit, in numbers": (",anemia,,9.5,,12,,,,,,", "0-3 for want of unit"),
    "in a unit that fits nothing": (",anemia,,9.5,furlong,12,,,,,,", "0-3 for want of unit"),
    "with a baseline not known": (",10001551,,2000,U/L,,40,,,,,", "0-4 for want of baseline"),
    "as the baseline": (",10001551,,121,U/L,,40,none,,,,", "2"),
    "a total calcium": (",hypocalcemia,calcium-total,6.8,mg/dL,8.5,,,,2.0,,", "1"),
    "a total calcium, albumin in g/L": (",hypocalcemia,calcium,1.69,mmol/L,2.1,,,,20,,", "1"),
    "a calcium that is corrected": (",hypocalcemia,calcium-corrected,7.9,mg/dL,8.5,,,,,,", "2"),
    "an ionized calcium": (",hypocalcemia,Calcium ionized,0.99,mmol/L,1.1,,,,,,", "2"),
    "a calcium and its albumin": (",hypocalcemia,,6.8,mg/dL,8.5,,,,2.0,,", "1"),
    "a calcium, no more": (",hypercalcemia,,14.6,mg/dL,,10.5,,,,,", "3-4 for want of albumin"),
    "with symptoms": (",hyponatremia,,129,mmol/L,135,,,,,,yes", "3"),
    "without": (",hyponatremia,,129,mmol/L,135,,,,,,N", "2"),
    "on an anticoagulant": (",INR increased,,3.1,,,,2.0,,,TRUE,", "2"),
    "sodium that cannot be": (",hypernatremia,,1400,mmol/L,135,145,,,,,", "0-4 for want of value"),
}
# rows that cannot be read, and why
UNREAD = {
    "term": (",measles,,1,,,,,,,,", "term: ctcae-5.0 has no 'measles'"),
    "version": (",ctcae-6.0.anemia,,9,g/dL,12,,,,,,", "term: ctcae-5.0 has no 'ctcae-6.0.anemia'"),
    "assessed": (
        ",Tremor,,1,,,,,,,,",
        "term: Tremor is not graded by a number: clinician's assessment: it has no number",
    ),
    "measure": (",anemia,sodium,9,g/dL,12,,,,,,", "measure: 'sodium' is none of hemoglobin"),
    "several": (
        ",hypocalcemia,,1.1,mmol/L,2.1,,,,,,",
        "measure: say which it is: calcium, calcium-ionized",
    ),
    "value": (",anemia,,HEMOLYZED,g/dL,12,,,,,,", "value: 'HEMOLYZED' is no number"),
    "limit": (",anemia,,9,g/dL,low,,,,,,", "lln: 'low' is no number"),
    "baseline": (",10001551,,90,U/L,,40,normal,,,,", "baseline: 'normal' is no number"),
    "state": (
        ",hyperglycemia,glucose,90,mg/dL,,,,perhaps,,,",
        "fasting: 'perhaps' is neither yes nor no",
    ),
    "not finite": (",anemia,,NaN,g/dL,12,,,,,,", "value: 'NaN' is no number"),
    "short": (",anemia,,9", "4 cells where there are 12 columns"),
    "long": (",anemia,,9,g/dL,12,,,,,,,,", "14 cells where there are 12 columns"),
}


@pytest.mark.parametrize(("row", "expected"), [*ROWS.values(), *UNREAD.values()])
def test_a_row_is_graded_or_has_the_reason_why_not(grade_rows, row, expected):
    (graded_row,) = grade_rows(row)
    assert describe(graded_row).startswith(expected)
    if graded_row["error"]:
        assert [graded_row[name] for name in ADDED_COLUMNS if name != "error"] == [""] * 5


def test_the_rest_goes_on_in_the_order_it_came_with_what_else_stood_in_it(grade_rows):
    rows = [
        row.replace(",", f"{n},", 1)
        for n, (row, _) in enumerate((*ROWS.values(), *UNREAD.values()))
    ]
    graded_rows = grade_rows(*rows)
    assert [row["id"] for row in graded_rows] == [str(n) for n in range(len(rows))]
    assert [describe(row) for row in graded_rows if not row["error"]] == [
        said for _, said in ROWS.values()
    ]


def test_the_same_row_is_told_the_same_every_time(grade_rows):
    rows = [row for row, _ in ROWS.values()] * 3
    graded_rows = [describe(row) for row in grade_rows(*rows)]
    assert graded_rows == [said for _, said in ROWS.values()] * 3


def test_the_version_decides(grade_rows):
    row = ",10029366,,0.4,10*9/L,1.8,,,,,,"
    (v5,), (v6,) = grade_rows(row), grade_rows(row, criteria="ctcae-6.0")
    assert (v5["at_least"], v5["because"]) == ("4", "< 0.5 10*9/L")
    assert (v6["at_least"], v6["because"]) == ("3", "< 0.5 10*9/L")
    assert v6["criterion"] == "ctcae-6.0.neutrophil-count-decreased"


# rows under v6, and the reason of grade 0
OUTSIDE_LIMITS = {
    "neutrophil count decreased,1.7,10*9/L,1.8,,": "no threshold met; below LLN",
    "neutrophil count decreased,1.8,10*9/L,1.8,,": "no threshold met",
    "neutrophil count decreased,1.9,10*9/L,1.8,,": "no threshold met",
    "neutrophil count decreased,1.7,10*9/L,,,": "no threshold met",
    "neutrophil count decreased,1.7,10*9/L,1800 /mm3,,": "no threshold met; below LLN",
    "neutrophil count decreased,9.9,10*9/L,1.8,7.0,": "no threshold met",
    "alanine aminotransferase increased,45,U/L,,40,50": "no threshold met; above ULN",
    "alanine aminotransferase increased,39,U/L,,40,50": "no threshold met",
    "alanine aminotransferase increased,40,U/L,,40,50": "no threshold met",
}


def test_grade_zero_outside_the_limits_of_normal_says_so(grade_rows):
    head = "term,value,unit,lln,uln,baseline"
    graded_rows = grade_rows(*OUTSIDE_LIMITS, head=head, criteria="ctcae-6.0")
    assert [row["because"] for row in graded_rows] == list(OUTSIDE_LIMITS.values())
    assert {describe(row) for row in graded_rows} == {"0"}


SYMPTOMS = {
    "": "2-3 for want of symptoms",
    "no": "2",
    "mild": "2",
    "Severe": "3",
    "yes": "2-3 for want of severity of symptoms",
    "some": "symptomatic: 'some' is neither yes nor no, nor one of none, present, mild, moderate,"
    " severe",
}


@pytest.mark.parametrize(("cell", "expected"), SYMPTOMS.items())
def test_symptoms_may_be_as_severe_as_they_are(grade_rows, cell, expected):
    row = f",serum amylase increased,,300,U/L,,100,none,,,,{cell}"
    (graded_row,) = grade_rows(row, criteria="ctcae-6.0")
    assert describe(graded_row) == expected


def test_two_columns_are_enough_and_more_may_be_known(grade_rows):
    (graded_row,) = grade_rows("fever,39.5", head="term,value")
    assert describe(graded_row) == "0-4 for want of unit"
    head = "value,unit,term,neutrophils"
    (graded_row,) = grade_rows("38.4,Cel,Febrile neutropenia,0.4 10*9/L", head=head)
    assert describe(graded_row) == "3"


@pytest.mark.parametrize(
    ("is_replaced", "grade"),
    [("yes", "2"), ("no", "1-2 for want of symptoms"), ("", "1-2 for want of symptoms")],
)
def test_potassium_that_was_replaced_is_grade_two(grade_rows, is_replaced, grade):
    head = "term,value,unit,lln,replaced"
    (graded_row,) = grade_rows(f"hypokalemia,3.2,mmol/L,3.5,{is_replaced}", head=head)
    assert describe(graded_row) == grade


def test_a_byte_that_is_no_text_comes_out_as_it_went_in(tmp_path):
    path, output_path = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(b"\xef\xbb\xbfterm,value,unit,note\nAnemia,7,g/dL,\xfc\n\nAnemia,7,\xb5g,\n")
    assert main(["grade", str(path), "--criteria", "ctcae-5.0", "--out", str(output_path)]) == 0
    head, first, second = output_path.read_bytes().splitlines()
    assert head.startswith(b"term,value,unit,note,at_least,at_most,")
    assert first == b"Anemia,7,g/dL,\xfc,3,3,,< 8.0 g/dL,ctcae-5.0.anemia,"
    assert second.startswith(b"Anemia,7,\xb5g,,0,3,unit,")


CONTROLS = {  # a cell beside the reading, and as it comes out
    "a NUL": ("a\0b", r"a\x00b"),
    "an escape": ("\x1b[2J", r"\x1b[2J"),
    "a control of eight bits": ("\x9b2J", r"\x9b2J"),
    "a delete": ("a\x7f", r"a\x7f"),
    "a carriage return in quotes": ('"a\rb"', r"a\rb"),
    "a tab": ("a\tb", "a\tb"),
    "ends of lines in quotes": ('"a\nb\r\nc"', "a\nb\r\nc"),
    "marks that are no control": ("\N{ZERO WIDTH SPACE}µ", "\N{ZERO WIDTH SPACE}µ"),
}


@pytest.mark.parametrize(("cell", "written"), CONTROLS.values(), ids=CONTROLS)
def test_control_characters_come_out_escaped(tmp_path, cell, written):
    path, output_path = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(f"term,value,unit,{cell}\nAnemia,7,g/dL,{cell}\n".encode())
    assert main(["grade", str(path), "--criteria", "ctcae-5.0", "--out", str(output_path)]) == 0
    with output_path.open(newline="", encoding="utf-8") as file:
        head, row = csv.reader(file)
    assert (head[3], row[3], row[4]) == (written, written, "3")


def test_a_control_character_in_the_reason_is_escaped(grade_rows):
    (graded_row,) = grade_rows(",anemia,so\x1bdium,9,g/dL,12,,,,,,")
    assert graded_row["measure"] == r"so\x1bdium"
    assert "\x1b" not in graded_row["error"]


FAULTS = {
    "no term": ("value,unit\n1,g/L\n", "there is no column 'term'"),
    "a column twice": ("term,value,value\na,1,2\n", "the column 'value' is there already"),
    "graded before": ("term,value,at_least\na,1,2\n", "the column 'at_least' is there already"),
    "empty": ("", "there is no row of column names"),
}


@pytest.mark.parametrize(("text", "why"), FAULTS.values(), ids=FAULTS)
def test_a_table_that_is_none_is_refused(tmp_path, capsys, text, why):
    path = tmp_path / "in.csv"
    path.write_text(text)
    assert main(["grade", str(path), "--criteria", "ctcae-5.0"]) == 2
    assert why in capsys.readouterr().err


def test_what_is_read_is_not_written_over(tmp_path, capsys):
    path = tmp_path / "in.csv"
    path.write_text("term,value\nAnemia,7\n")
    words = ["grade", str(path), "--criteria", "ctcae-5.0", "--out", str(path)]
    assert main(words) == 2
    assert "write to another file" in capsys.readouterr().err
    assert path.read_text() == "term,value\nAnemia,7\n"
    assert main(["grade", str(tmp_path / "no.csv"), "--criteria", "ctcae-5.0"]) == 2


def test_how_many_rows_could_not_be_read_is_said(tmp_path, capsys):
    path = tmp_path / "in.csv"
    huge = "x" * 200_000
    path.write_text(f"term,value\nAnemia,7\nmeasles,1\n{huge},1\nFever,39\n")
    assert main(["grade", str(path), "--criteria", "ctcae-5.0"]) == 1
    output = capsys.readouterr()
    assert output.err == "2 of 4 rows could not be read: see error\n"
    assert len(output.out.splitlines()) == 5


HEAD_OF_OWN_LIMITS = "term,value,unit,lln,uln,baseline,baseline_lln,baseline_uln"
OWN_LIMITS = {
    "normal by its own": ("10001551,230,U/L,10,41,54,10,55", "3", "baseline not above its own ULN"),
    "abnormal by its own": ("10001551,230,U/L,10,60,54,10,41", "2", "baseline above its own ULN"),
    "in a unit of its own": (
        "10005364,3.9,mg/dL,,1.2,10 umol/L,,21 umol/L",
        "3",
        "baseline not above its own ULN",
    ),
    "only of the other side": ("10001551,230,U/L,10,41,54,10,", "2-3 for want of", "> 3.0 x"),
    "by those of the row": ("10001551,230,U/L,10,41,54,,", "2", "> 3.0 x baseline"),
    "no number": ("10001551,230,U/L,10,41,54,,high", "baseline_uln: 'high' is no number", ""),
}


@pytest.mark.parametrize(("row", "expected", "because"), OWN_LIMITS.values(), ids=OWN_LIMITS)
def test_a_baseline_is_judged_by_its_own_limits(grade_rows, row, expected, because):
    (graded_row,) = grade_rows(row, head=HEAD_OF_OWN_LIMITS)
    assert describe(graded_row).startswith(expected)
    assert because in graded_row["because"]
