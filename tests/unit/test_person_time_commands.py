"""`aegis boundary` and `aegis design` in person-time, as a statistician calls them."""

import json
import math

import pytest

from services.cli.main import main
from tests.helpers.person_time import write_person_time_study

MAXSPRT = "boundary --family poisson-maxsprt --alpha .05"
GAMMA = "boundary --family gamma-poisson --p0 .15 --window-days 100 --n 46 --alpha .1"
PRIOR = "--prior 1.86896777,1150"
DESIGN = "design --person-time --p0 .15 --p1 .3418071 --n 46 --alpha .1"


def answer(capsys, line):
    assert main(line.split()) == 0
    return json.loads(capsys.readouterr().out)


def test_maxsprt_is_planned_in_expected_events(capsys):
    output = answer(capsys, f"{MAXSPRT} --planned 10 --min-events 2 --ratios 1,2 --json")
    design = output["design"]
    assert output["unit"] == "expected_events"
    assert design["constant"] == pytest.approx(3.238009, abs=1e-6)
    assert design["limits"][0] == 0
    assert [row["ratio"] for row in design["characteristics"]] == [1.0, 2.0]
    assert design["characteristics"][0]["p_stop"] == pytest.approx(design["attained_alpha"])


def test_a_rate_and_its_window_give_person_days(capsys):
    output = answer(capsys, f"{GAMMA} {PRIOR} --rates .15,.3 --json")
    design = output["design"]
    assert output["unit"] == "person_days"
    assert design["constant"] == pytest.approx(0.93540756, abs=2e-6)
    assert design["limits"][:3] == pytest.approx([0, 0, 104.818], abs=0.02)
    assert design["plan"]["planned"] == pytest.approx(4245.65)
    at_p0, at_p1 = design["characteristics"]
    assert at_p0["p_stop"] == pytest.approx(0.1, abs=1e-6)
    assert at_p1["ratio"] == pytest.approx(2.19466, abs=1e-5)


def test_a_hazard_stands_for_the_rate_and_its_window(capsys):
    first = answer(capsys, f"{GAMMA} {PRIOR} --json")["design"]
    by_hazard = f"--hazard {first['plan']['hazard']!r} --planned {first['plan']['planned']!r}"
    line = f"boundary --family gamma-poisson --alpha .1 {PRIOR} {by_hazard} --json"
    assert answer(capsys, line)["design"]["limits"] == first["limits"]


def test_p1_is_a_hazard_ratio(capsys):
    options = "--p0 .15 --window-days 100 --n 46 --alpha .1 --json"
    first = answer(capsys, f"boundary --family poisson-sprt --p1 .3418071 {options}")["design"]
    assert first["constant"] == pytest.approx(1.9079143, abs=2e-5)
    second = answer(capsys, f"boundary --family poisson-sprt --ratio 2.5735385 {options}")["design"]
    assert second["limits"] == pytest.approx(first["limits"], rel=1e-4)


def test_the_boundary_is_read_aloud_and_drawn(capsys, tmp_path):
    picture = tmp_path / "boundary.svg"
    assert main([*f"{GAMMA} {PRIOR} --rates .15,.3 --plot".split(), str(picture)]) == 0
    text = capsys.readouterr().out
    assert "planned 4245.65 person-days (6.89998 expected events)" in text
    assert "stop at events@person-days: 3@104.82" in text
    assert "0.15  1             0.1000   4021.4" in text
    assert "Person-time of follow-up (days)" in picture.read_text()


def test_the_head_names_the_design(capsys):
    assert main(f"{GAMMA} {PRIOR} --min-events 2".split()) == 0
    head, plan, *_ = capsys.readouterr().out.splitlines()
    assert head == (
        "gamma-poisson  prior 1.86897,1150  p0 0.15 within 100 days  alpha 0.1  n 46  min_events 2"
    )
    assert plan == "planned 4245.65 person-days (6.89998 expected events)"


def test_a_design_without_p0_is_drawn_against_hazard_ratios(capsys, tmp_path):
    picture = tmp_path / "boundary.svg"
    assert main([*f"{MAXSPRT} --planned 10 --ratios 1,2 --plot".split(), str(picture)]) == 0
    assert "True hazard ratio" in picture.read_text()
    assert capsys.readouterr().out.startswith("poisson-maxsprt  alpha 0.05\nplanned 10 expected")


def test_a_table_above_alpha_is_shown_as_such(capsys):
    line = "boundary --family poisson-table --alpha .05 --planned 10 --limits 0,1,2,4,10"
    assert main(line.split()) == 0
    assert "attained alpha 0.9725406 (above alpha)" in capsys.readouterr().out


def test_the_families_stand_side_by_side_and_none_exceeds_alpha(capsys, tmp_path):
    output = answer(capsys, f"{DESIGN} --json")
    families = {one["family"]: one["design"] for one in output["families"]}
    assert len(families) == 6
    assert all(0.0999 < one["attained_alpha"] <= 0.1 for one in families.values())
    assert families["poisson-wang-tsiatis"]["constant"] == pytest.approx(2.0089093, abs=2e-5)
    assert families["poisson-sprt"]["constant"] == pytest.approx(1.9079143, abs=2e-5)
    picture = tmp_path / "design.svg"
    assert main([*f"{DESIGN} --looks 1000,2000,4000 --plot".split(), str(picture)]) == 0
    assert "p0 0.15  p1 0.341807 within 100 days" in capsys.readouterr().out
    assert "Gamma-Poisson" in picture.read_text()


@pytest.fixture
def chance(tmp_path):
    """The command with a study of the tests."""
    study = write_person_time_study(tmp_path)
    return lambda rule, counts: f"chance BLINA-HSCT.{rule} {counts} --study {study}"


@pytest.mark.parametrize(
    ("rule", "counts", "says"),
    [
        ("T1", "--events 3 --person-time 104.828", "104.828 person-days, is reached: review req"),
        ("T1", "--events 3 --person-time 104.829", "1 short of the boundary of 4 events, up to"),
        ("T1", "--events 1 --person-time 0", "1 event in 0 person-days: 2 short of the boundary"),
        ("T2", "--events 2 --person-time .09", "is reached, and not compared yet"),
        ("T2", "--events 2 --person-time .1", "up to 0.194488 expected events, is reached: review"),
    ],
)
def test_a_question_on_the_phone_is_answered_in_words(capsys, chance, rule, counts, says):
    assert main(chance(rule, counts).split()) == 0
    assert says in capsys.readouterr().out


def test_the_chances_are_those_that_the_decision_gives(capsys, chance):
    """2 events in 400 person-days; of 12 near the end of the plan one more stops, by hand."""
    chances = answer(capsys, chance("T1", "--events 2 --person-time 400 --rates .15,.3 --json"))
    chances = chances["chances"]
    assert (chances["boundary"], chances["events_left"]) == (4, 2)
    assert chances["prior"] == pytest.approx([1.86897, 1.86897], abs=1e-5)
    (_, at_p0), (_, at_p1) = chances["chances"]
    assert at_p0 < chances["predictive"] < at_p1
    late = answer(capsys, chance("T1", "--events 12 --person-time 4210 --rates .15 --json"))
    one_more = 1 - math.exp(math.log(0.85) / 100 * (4245.65 - 4210))
    assert late["chances"]["chances"][0][1] == pytest.approx(one_more, abs=1e-9)


@pytest.mark.parametrize(
    ("rule", "counts", "problem"),
    [
        ("T1", "--events 1 --of 3", "--person-time, without --of and --pending, is what"),
        ("T1", "--events 1 --person-time 9 --pending .5", "without --of and --pending, is what"),
        ("S1", "--events 1 --person-time 3", "--of, without --person-time, is what BLINA-HSCT.S1"),
        ("S1", "--events 1", "--of, without --person-time, is what BLINA-HSCT.S1 needs"),
        ("T1", "--events 47 --person-time 9", "--events must be from 0 to the 46 participants"),
        ("T1", "--events -1 --person-time 9", "--events must be from 0 to the 46 participants"),
        ("T1", "--events 1 --person-time 4246", "--person-time must be from 0 to the plan, 4245"),
        ("T1", "--events 1 --person-time 9 --rates 1", "a rate must be from 0 to below 1, not 1"),
        ("T1", "--events 1 --person-time 9 --prior 1,0", "--prior must be above 0 and at most 1e"),
        ("T1", "--events 1 --person-time 9 --prior 1e7,1", "at most 1e+06, not 10000000"),
    ],
)  # fmt: skip
def test_counts_that_cannot_be_are_named(capsys, chance, rule, counts, problem):
    assert main(chance(rule, counts).split()) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"{MAXSPRT}", "planned is missing"),
        (f"{MAXSPRT} --planned 0", "planned must be above 0 and at most 1000 expected events"),
        (f"{MAXSPRT} --planned 1001", "planned must be above 0 and at most 1000 expected events"),
        (f"{MAXSPRT} --n 100000 --p0 .15", "n must be from 1 to 6666, not 100000: a plan has"),
        (f"{MAXSPRT} --n 6667 --p0 .15", "n must be from 1 to 6666, not 6667: a plan has up to"),
        (f"{MAXSPRT} --n 0 --p0 .15", "n must be from 1 to 6666, not 0"),
        (f"{MAXSPRT} --n 40 --p0 1", "p0 must be above 0 and below 1, not 1"),
        (f"{MAXSPRT} --n 40 --p0 0", "p0 must be above 0 and below 1, not 0"),
        (f"{MAXSPRT} --planned 1 --min-events 4", "--min-events must be from 1 to 3, not 4"),
        (f"{MAXSPRT} --planned 1 --min-events 0", "--min-events must be a whole number from 1"),
        (f"{MAXSPRT} --planned 1 --delayed-start 1.1", "--delayed-start must be from 0 to"),
        (f"{MAXSPRT} --planned 1 --hazard 0", "hazard must be above 0"),
        (f"{MAXSPRT} --planned 1 --hazard -1", "hazard must be above 0"),
        (f"{MAXSPRT} --planned 9 --looks 5,2", "looks must rise, from above 0 to the end"),
        (f"{MAXSPRT} --planned 9 --looks 5,10", "looks must rise, from above 0 to the end"),
        (f"{MAXSPRT} --planned 9 --rates .2", "rates go with p0"),
        (f"{MAXSPRT} --planned 9 --ratios -1", "ratios must be 0 or more"),
        (f"{MAXSPRT} --planned 9 --p0 .1 --rates 1", "a rate must be from 0 to below 1, not 1"),
        (f"{MAXSPRT} --planned 9 --window-days 100", "--window-days goes with p0"),
        (f"{MAXSPRT} --planned 9 --p0 .1 --window-days 0", "--window-days must be above 0"),
        (f"{MAXSPRT} --planned 9 --hazard 1 --window-days 9", "hazard goes without window_days"),
        (f"{MAXSPRT} --planned 9 --beta .2", "--beta goes with families of participants"),
        (f"{MAXSPRT} --planned 9 --first-look 2", "--first-look goes with families of part"),
        (f"{MAXSPRT} --planned 9 --delta .2", "delta is no parameter of poisson-maxsprt"),
        (f"{GAMMA} --prior 1", "prior must be 2 number(s), not 1"),
        (f"{GAMMA}", "prior is missing: gamma-poisson needs prior"),
        ("boundary --family poisson-sprt --alpha .1 --planned 9 --p1 .2", "p1 must be above p0"),
        ("boundary --family poisson-sprt --alpha .1 --planned 9 --p0 .2 --p1 .2", "p1 must be ab"),
        ("boundary --family pocock --alpha .1 --n 9", "--p0 is missing: pocock needs it"),
        ("boundary --family pocock --alpha .1 --p0 .1", "--n is missing: pocock needs it"),
        ("boundary --family pocock --alpha .1 --p0 .1 --n 9 --planned 3", "--planned goes with a"),
        ("boundary --family pocock --alpha .1 --p0 .1 --n 9 --min-events 3", "--min-events goes"),
        ("boundary --family pocock --alpha .1 --p0 .1 --n 9 --looks 1.5", "looks must be whole"),
        (DESIGN.replace(".3418071", ".1"), "p1 must be above p0 = 0.15 and below 1, not 0.1"),
        (f"{DESIGN} --min-events 50", "--min-events must be from 1 to"),
        (f"{DESIGN} --prior 1,0", "prior must be above 0"),
        (f"{DESIGN.replace(' --person-time', '')} --planned 3", "go with --person-time"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_named_in_one_line(capsys, line, problem):
    assert main(line.split()) == 2
    message = capsys.readouterr().err
    assert problem in message
    assert message.count("\n") == 1
