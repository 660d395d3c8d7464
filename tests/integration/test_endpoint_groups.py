"""`aegis endpoints --groups`: each endpoint by group of participants, with Gray's test."""

import json

import pytest

from services.cli.main import main
from services.safety_rules.domain.endpoints.gray_test import compare_incidence
from services.safety_rules.domain.endpoints.risk_sets import Spell
from services.vocabulary.clinical_fact import Relapse
from tests.helpers.fact_notes import fact, lab
from tests.helpers.timeline import FOLDER, Timeline

DEATHS = {"P-001": 3, "P-002": 5}  # day after the first infusion
RELAPSES = {"P-006": 4}
LAST_DAY = 9
NAMES = [f"P-00{number}" for number in range(1, 7)]
GROUPS = {"P-001": "a", "P-002": "a", "P-003": "a", "P-004": "b", "P-005": "b", "P-006": "b"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data of six treated participants; a seventh is enrolled and not treated."""
    folder = tmp_path_factory.mktemp("data")
    trial = Timeline(folder)
    trial.treat(*NAMES)
    for name, day in RELAPSES.items():
        trial.say(fact(Relapse(), day * 24, subject=name))
    for name, day in DEATHS.items():
        trial.death(name, day * 24)
    for name in NAMES:
        if name not in DEATHS:
            trial.say(lab("potassium", "4.0", LAST_DAY * 24, "mmol/L", subject=name))
    trial.close()
    return folder


@pytest.fixture
def compare(folder, tmp_path, capsys):
    """Run the command on a file of groups, as text."""

    def run(text, *options):
        file = tmp_path / "groups.csv"
        file.write_text(text)
        words = ["--groups", str(file), "--data", str(folder), "--study", str(FOLDER), *options]
        code = main(["endpoints", *words])
        return code, capsys.readouterr()

    return run


def write_groups(groups):
    return "participant,group\n" + "".join(f"{name},{group}\n" for name, group in groups.items())


def spells_of(group):
    ends = DEATHS | RELAPSES
    causes = dict.fromkeys(DEATHS, "nrm") | dict.fromkeys(RELAPSES, "relapse")
    return [
        Spell(name, 0, ends.get(name, LAST_DAY), causes.get(name, ""))
        for name, one in GROUPS.items()
        if one == group
    ]


def test_each_endpoint_has_a_row_for_each_group_and_gray_s_p(compare):
    code, output = compare(write_groups(GROUPS))
    assert code == 0
    rows = [line.split() for line in output.out.splitlines() if line.startswith("Non-relapse")]
    expected = compare_incidence({"a": spells_of("a"), "b": spells_of("b")}, "nrm")
    assert [row[2:6] for row in rows] == [["a", "3", "2", "0"], ["b", "3", "0", "1"]]
    assert {row[-1] for row in rows} == {f"{expected.p_value:.4f}"}


def test_the_answer_for_programs_has_the_curves_and_the_test(compare):
    code, output = compare(write_groups(GROUPS), "--json")
    report = json.loads(output.out)
    assert code == 0
    assert report["groups"] == {"a": 3, "b": 3}
    (nrm,) = [one for one in report["comparisons"] if one["id"] == "nrm"]
    assert nrm["test"]["degrees_of_freedom"] == 1
    assert [curve["events"] for curve in nrm["curves"].values()] == [2, 0]


def test_who_is_in_no_group_is_named_and_left_out(compare):
    groups = {name: group for name, group in GROUPS.items() if name != "P-003"}
    _, output = compare(write_groups(groups))
    assert "In no group, and left out: P-003." in output.out
    assert "a 2, b 3" in output.out


def test_one_group_is_shown_and_not_tested(compare):
    _, output = compare(write_groups(dict.fromkeys(NAMES, "all")))
    (row,) = [line.split() for line in output.out.splitlines() if line.startswith("Relapse")]
    assert row[-1] == "-"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: must be `participant,group`"),
        ("name,group\nP-001,a\n", "line 1: must be `participant,group`"),
        ("participant,group\n", "names nobody"),
        ("participant,group\nP-001\n", "line 2: must be a participant and a group"),
        ("participant,group\nP-001,\n", "line 2: must be a participant and a group"),
        ("participant,group\nP-001,a\nP-001,b\n", "line 3: P-001 stands there twice"),
        ("participant,group\nP-001,a\nP-999,b\n", "not treated, or not known: P-999"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(compare, text, problem):
    code, output = compare(text)
    assert code == 2
    assert problem in output.err


def test_what_does_not_go_with_groups_is_said(compare):
    code, output = compare(write_groups(GROUPS), "--clock", "transplant")
    assert code == 2
    assert "--groups goes without --plot, --clock and --engraftment" in output.err
