"""`aegis boundary` and `aegis design`, as a statistician calls them."""

import json

import pytest

from services.cli.main import main

RULE_1 = "boundary --family beta-binomial --prior .6,2.4 --p0 .2 --alpha .1 --n 30"
POCOCK = "boundary --family pocock --p0 .2 --alpha .1 --n 30"
DESIGN = "design --p0 .05 --p1 .2 --n 40 --alpha .05"

WALD = "boundary --family sprt --p0 .04 --p1 .1 --alpha .04 --beta .2 --n 75 --first-look 4"
TWO_LIMITS = "boundary --family table --p0 .2 --alpha .3 --n 3 --boundary 2,2,3"
SIMULATE = "simulate rule studies/blina-hsct BLINA-HSCT.S1 --window-days 30 --trials 100"
REHEARSE = "simulate protocol studies/blina-hsct --trials 100"
SHARE = "simulate protocol studies/blina-hsct --share-alpha .1"
CHANCE = "chance BLINA-HSCT.S1 --study studies/blina-hsct"


def answer(capsys, line):
    assert main(line.split()) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("line", "words"),
    [("arms 20/20 0/20", "p < 0.0001, one-sided"), ("arms 5/30 2/31", "p 0.1")],
)
def test_the_p_value_of_two_arms_is_never_printed_as_nothing(line, words, capsys):
    assert main(line.split()) == 0
    assert words in capsys.readouterr().out


def test_rule_1_as_json_has_the_published_boundary_and_the_rates_in_their_order(capsys):
    output = answer(capsys, f"{RULE_1} --rates .4,.2 --json")
    table = "2 3 3 3 4 4 5 5 5 5 6 6 6 7 7 7 7 8 8 8 9 9 9 9 10 10 10 10 11 11"
    assert output["boundary"] == [int(word) for word in table.split()]
    assert output["looks"] == list(range(1, 31))
    assert output["attained_alpha"] == pytest.approx(0.09957367, abs=5e-9)
    assert [row["rate"] for row in output["characteristics"]] == [0.4, 0.2]
    assert output["characteristics"][0]["p_stop"] == pytest.approx(0.81491087, abs=5e-9)
    assert output["characteristics"][1]["e_evaluated"] == pytest.approx(28.25598, abs=5e-6)
    assert sum(output["characteristics"][0]["stopping"]) == pytest.approx(0.81491087, abs=5e-9)


MAXSPRT = "boundary --family maxsprt --p0 .5 --alpha .05 --n 20"


def test_the_critical_value_is_printed_and_is_the_published_one(capsys):
    assert answer(capsys, f"{MAXSPRT} --json")["constant"] == pytest.approx(3.09884, abs=5e-6)
    assert main(MAXSPRT.split()) == 0
    assert "\nconstant 3.0988358  attained alpha 0.04614\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "boundary --family posterior --prior .6,2.4 --theta .9 --p0 .2 --alpha .1 --n 10",
        "boundary --family table --boundary 2,2,3 --p0 .2 --alpha .3 --n 3",
        "boundary --family maxsprt --p0 .3 --alpha .3 --n 1",
    ],
    ids=["compared with theta", "given", "each count stops"],
)
def test_no_critical_value_is_printed_where_none_was_searched_or_each_count_stops(capsys, line):
    assert answer(capsys, f"{line} --json")["constant"] is None
    assert main(line.split()) == 0
    assert "constant" not in capsys.readouterr().out


def test_those_who_enter_while_others_are_followed_are_enrolled(capsys):
    """The design's simulated figure: 22.0 enrolled at .4, 100-day window, accrual over a year."""
    output = answer(capsys, f"{RULE_1} --rates .4 --accrual-days 365 --window-days 100 --json")
    assert output["characteristics"][0]["e_enrolled"] == pytest.approx(22.0, abs=0.05)


def test_a_published_design_with_two_limits_is_read(capsys, tmp_path):
    picture = tmp_path / "limits.svg"
    output = answer(capsys, f"{WALD} --json --plot {picture}")
    assert output["limits"]["upper"][:12] == [4] * 11 + [5]
    rows = {row["rate"]: row for row in output["characteristics"]}
    assert round(rows[0.04]["p_upper"], 4) == 0.0189
    assert round(rows[0.1]["p_upper"], 4) == 0.5157
    assert "safe enough" in picture.read_text()
    assert main(WALD.split()) == 0
    text = capsys.readouterr().out
    assert "4@4-14 5@15-29 6@30-44 7@45-59 8@60-75" in text
    assert "0@25-39 1@40-54 2@55-69 3@70-75" in text


def test_each_family_has_a_panel_and_a_picture_says_how_it_was_made(capsys, tmp_path):
    picture = tmp_path / "designs.svg"
    assert main(f"{DESIGN} --plot {picture}".split()) == 0
    text = picture.read_text()
    assert text.count("Truncated SPRT") == 2  # over its panel, and in the legend of the curves
    assert "n 40, after each one; exact. Aegis 0." in text
    assert main(f"{RULE_1} --looks 10,30 --plot {picture}".split()) == 0
    capsys.readouterr()
    assert "looks after 10, 30, prior 0.6, 2.4; exact. Aegis 0." in picture.read_text()


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ("--events 2 --of 4", "the boundary of 2 events is reached: review required."),
        ("--events 1 --of 4", "1 short of the boundary of 2 events; 1 more without an event raise"),
        ("--events 0 --of 1", "no count can reach the boundary yet; it begins with 2 events among"),
        ("--events 2 --of 40", "4 short of the boundary of 6 events; it rises no more."),
        (
            "--events 0 --of 12",
            "at most 22.1% with 95 % confidence, exact (by the rule of three 25",
        ),
        ("--events 1 --of 4 --pending .9,.3", "1 of 4, 2 pending, 5.2 effective: 2 short of the"),
    ],
)
def test_a_question_on_the_phone_is_answered_in_words(capsys, counts, says):
    assert main(f"{CHANCE} {counts}".split()) == 0
    assert says in capsys.readouterr().out


def test_two_arms_are_compared_in_words(capsys):
    assert main(["arms", "5/30", "0/31"]) == 0
    text = capsys.readouterr().out
    assert "5 of 30 (16.7%) against 0 of 31 (0.0%)" in text
    assert "Harm bound: it is 95.0% or more from 3 events of the first arm's 30 on." in text
    assert [line.split()[1] for line in text.splitlines()[2:4]] == ["0.1667", "-"]


def test_grouped_looks_have_one_number_each(capsys):
    output = answer(capsys, f"{POCOCK} --looks 10,20,30 --json")
    assert output["looks"] == [10, 20, 30]
    assert len(output["boundary"]) == 3


def test_a_given_table_is_judged_and_never_calibrated(capsys):
    output = answer(
        capsys, "boundary --family table --boundary 2,2,3 --p0 .2 --alpha .3 --n 3 --json"
    )
    assert output["boundary"] == [2, 2, 3]
    assert output["attained_alpha"] == pytest.approx(0.04)


CHEN = "boundary --family chen-chaloner --prior .1,1.9 --p1 .2 --p0 .05 --alpha .05 --n 40"
NOTES = {  # a command; what its answer says beside the numbers
    "a table above alpha": (
        "boundary --family table --boundary 1,1,1 --p0 .2 --alpha .1 --n 3",
        "table: its type I error is above alpha 0.1; a protocol with this table is refused.",
    ),
    "posterior": (
        "boundary --family posterior --prior .6,2.4 --theta .9 --p0 .2 --alpha .1 --n 10",
        "posterior: nothing is calibrated, alpha has no part in the boundary.",
    ),
    "nu that binds nowhere": (
        f"{CHEN} --nu .05",
        (
            "Chen-Chaloner: the calibrated bound on P(p > 0.05) binds everywhere, nu 0.05 nowhere:"
            " the boundary is that of beta-binomial."
        ),
    ),
    "nu that binds at times": (
        f"{CHEN} --nu .3",
        (
            "Chen-Chaloner: nu binds (P(p > 0.2) above 0.3) at 23, 29-40; elsewhere the calibrated"
            " bound on P(p > 0.05) binds."
        ),
    ),
    "nu that binds everywhere": (
        f"{CHEN} --nu .9",
        (
            "Chen-Chaloner: nu binds (P(p > 0.2) above 0.9) everywhere: alpha has no part in the"
            " boundary."
        ),
    ),
    "the prior": (f"{CHEN} --nu .3", "chen-chaloner  prior 0.1,1.9  p1 0.2  nu 0.3  p0 0.05"),
    "families: posterior": (DESIGN, "posterior: nothing is calibrated, alpha has no part"),
    "families: Chen-Chaloner": (
        DESIGN,
        "Chen-Chaloner: nu binds (P(p > 0.2) above 0.3) at 23, 29-40",
    ),
    "families: the prior": (DESIGN, "Posterior, theta 0.95, Beta(0.1, 1.9)"),
}


@pytest.mark.parametrize(("line", "note"), NOTES.values(), ids=NOTES)
def test_what_the_numbers_rest_on_is_said_beside_them(capsys, line, note):
    assert main(line.split()) == 0
    assert note in capsys.readouterr().out


def test_a_table_above_alpha_is_shown_with_what_it_does(capsys):
    line = "boundary --family table --boundary 1,1,1 --p0 .2 --alpha .1 --n 3 --rates .5 --json"
    output = answer(capsys, line)
    assert output["attained_alpha"] == pytest.approx(1 - 0.8**3)
    assert output["characteristics"][0]["p_stop"] == pytest.approx(1 - 0.5**3)
    assert output["notes"] == [NOTES["a table above alpha"][1].removesuffix(".")]


def test_the_families_stand_side_by_side_and_only_posterior_exceeds_alpha(capsys):
    output = answer(capsys, f"{DESIGN} --json")
    families = [one["family"] for one in output["families"] if one["attained_alpha"] > 0.05]
    assert families == ["posterior"]
    trial = next(one for one in output["families"] if one["family"] == "beta-binomial")
    assert trial["attained_alpha"] == pytest.approx(0.04803, abs=6e-6)
    assert trial["power"] == pytest.approx(0.882, abs=5e-4)
    assert trial["e_enrolled"][1] < trial["e_enrolled"][0] < 40


def test_a_family_that_cannot_stop_stands_there_with_the_reason(capsys):
    output = answer(capsys, f"{DESIGN} --delta 1 --alpha .04 --json")
    (family,) = [one for one in output["families"] if "never_stops" in one]
    assert family["family"] == "wang-tsiatis"
    assert main([*DESIGN.split(), "--delta", "1", "--alpha", ".04"]) == 0
    assert "never stops" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(RULE_1, marks=pytest.mark.slow),
        f"{POCOCK} --looks 10,20,30",
        pytest.param(DESIGN, marks=pytest.mark.slow),
    ],
)
def test_a_picture_is_the_same_bytes_each_time(tmp_path, capsys, line):
    for name in ("one.png", "two.png"):
        assert main([*line.split(), "--plot", str(tmp_path / name)]) == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "attained" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"{POCOCK} --n 0", "n must be a whole number from 1 to 1000, not 0"),
        (f"{POCOCK} --n 100000", "n must be a whole number from 1 to 1000, not 100000"),
        (f"{POCOCK} --n 3.5", "--n: '3.5' is not a whole number from 1 to 1000"),
        (f"{POCOCK} --alpha 0", "alpha must be above 0 and below 1, not 0"),
        (f"{POCOCK} --alpha 1", "alpha must be above 0 and below 1, not 1"),
        (f"{POCOCK} --alpha nan", "--alpha: 'nan' is no number"),
        (f"{POCOCK} --p0 -0.2", "p0 must be above 0 and below 1, not -0.2"),
        (f"{POCOCK} --p0 inf", "--p0: 'inf' is no number"),
        (f"{POCOCK} --looks 10,5", "looks must be whole, increasing and from 1 to n = 30"),
        (f"{POCOCK} --looks 5,5", "looks must be whole, increasing and from 1 to n = 30"),
        (f"{POCOCK} --looks 10,31", "looks must be whole, increasing and from 1 to n = 30"),
        (f"{POCOCK} --looks 5,x", "--looks: '5,x' is not whole numbers like 5,10,15"),
        (f"{POCOCK} --rates 1.2", "rates must be from 0 to 1, not 1.2"),
        (f"{POCOCK} --rates x", "--rates: 'x' is not a number"),
        (f"{POCOCK} --delta .2", "delta is no parameter of pocock"),
        (f"{POCOCK} --plot a.gif", "--plot: 'a.gif' must end in one of: .svg, .png, .pdf"),
        (f"{POCOCK} --plot /nowhere/a.png", "--plot /nowhere/a.png cannot be written"),
        (f"{POCOCK} --window-days 3", "--window-days goes with --accrual-days"),
        (f"{POCOCK} --accrual-days 9", "--accrual-days goes with --rates"),
        (f"{POCOCK} --rates .2 --accrual-days nan", "--accrual-days: 'nan' is no number"),
        (f"{POCOCK} --rates .2,-inf", "--rates: '.2,-inf' is not a number, or numbers like"),
        (
            f"{POCOCK} --rates .2 --accrual-days 0",
            "--accrual-days must be above 0 and up to 3650 days, not 0",
        ),
        (
            f"{POCOCK} --rates .2 --accrual-days 9 --window-days -1",
            "--window-days must be from 0 up to 3650 days, not -1",
        ),
        (f"{POCOCK} --n 2 --alpha .01", "alpha is 0.01, and no boundary that can be reached"),
        (f"{RULE_1} --prior 0,1", "--prior must be above 0 and at most 1e+06, not 0"),
        (f"{RULE_1} --prior -1,2", "--prior must be above 0 and at most 1e+06, not -1"),
        (f"{RULE_1} --prior 1", "prior must be 2 number(s), not 1"),
        (f"{RULE_1} --prior 1e308,1e308", "--prior must be above 0 and at most 1e+06, not 1e+308"),
        (
            f"{RULE_1} --prior 1000001,1",
            "--prior must be above 0 and at most 1e+06, not 1000001: divide both numbers",
        ),
        (f"{POCOCK} --rates .2 --accrual-days 3650.5", "up to 3650 days, not 3650.5"),
        (f"{POCOCK} --min-events 2", "--min-events goes with a family of person-time"),
        (
            f"{SIMULATE} --onset weibull:5,51",
            "--onset: weibull_shape must be from 0.05 to 50, not 51",
        ),
        (f"{SIMULATE} --onset weibull:5,.04", "weibull_shape must be from 0.05 to 50, not 0.04"),
        (f"{SIMULATE} --onset weibull:3651,1", "scale_days must be from 0.01 to 3650, not 3651"),
        (
            f"{SIMULATE} --onset exponential:-1",
            "--onset: mean_days must be finite and above 0, not -1",
        ),
        (
            f"{SIMULATE} --onset weibull:5,0",
            "--onset: weibull_shape must be finite and above 0, not 0",
        ),
        (
            f"{SIMULATE} --false-reports .1 --false-report-days 0",
            "--false-report-days must be above 0 and up to 3650 days, not 0",
        ),
        (f"{SIMULATE} --onset exponential:3651", "mean_days must be from 0.01 to 3650, not 3651"),
        (f"{SIMULATE} --onset exponential:.009", "mean_days must be from 0.01 to 3650, not 0.009"),
        (f"{SIMULATE} --onset table:3651=1", "DAY must be from 0.01 to 3650, not 3651"),
        (
            f"{SIMULATE} --target power=1",
            "'power=1' is no target like power=.8, above 0 and below 1",
        ),
        (f"{SIMULATE} --target power=.8 --p1 .01", "--p1 must be above p0 = 0.05 and below 1, not"),
        (
            f"{REHEARSE} --factors 1,3.4",
            "--factors must be numbers from 0 to 3.33333, at which the",
        ),
        (
            f"{REHEARSE} --dose-days 90-60",
            "--dose-days must be days from 0, the earliest first, not 90-60",
        ),
        (
            f"{CHANCE} --events 1 --of 6 --prior 1e308,1e308",
            "--prior must be above 0 and at most 1e+06",
        ),
        (
            "arms 5/30 2/31 --prior 1000001,1",
            "--prior must be two numbers above 0 and at most 1e+06",
        ),
        (f"{POCOCK} --family beta-binomial", "prior is missing: beta-binomial needs prior"),
        (f"{POCOCK} --family sprt --p1 .2", "p1 must be above 0.2 and below 1, not 0.2"),
        (f"{POCOCK} --family wang-tsiatis --delta 2", "delta must be from 0 to 1, not 2"),
        (f"{RULE_1} --family posterior --theta 1", "theta must be above 0 and below 1, not 1"),
        (
            f"{RULE_1} --family posterior --theta .9999 --n 1",
            "theta is 0.9999, which no count reaches: this rule can never stop",
        ),
        (
            f"{POCOCK} --n 3 --family table --boundary 2,2,2.5",
            "boundary must be whole numbers, not 2,2,2.5",
        ),
        (f"{POCOCK} --n 3 --family table --boundary 2,2", "boundary must be 3 positive numbers"),
        (f"{POCOCK} --n 3 --family table --boundary 0,2,2", "boundary must be 3 positive numbers"),
        (
            f"{POCOCK} --n 3 --family table --boundary 1e30,2,2",
            "boundary must be numbers up to 1001",
        ),
        (f"{POCOCK} --n 3 --family table --boundary inf,inf,inf", "boundary"),
        (f"{POCOCK} --n 3 --family table --boundary 2,nan,3", "boundary"),
        (f"{POCOCK} --n 4 --family table --boundary 4,4,3,2", "boundary must not fall"),
        (
            f"{POCOCK} --n 3 --family table --boundary 2,3,4",
            "boundary must be at or below the size",
        ),
        (f"{WALD} --looks 5,10", "--first-look goes without --looks"),
        (f"{WALD} --first-look 76", "--first-look must be from 1 to n = 75, not 76"),
        (f"{WALD} --first-look 0", "--first-look must be from 1 to n = 75, not 0"),
        (f"{WALD} --family pocock", "two limits are --family sprt with --p1 and --beta"),
        (f"{WALD} --lower 1", "two limits are --family sprt with --p1 and --beta"),
        (f"{WALD} --p1 .04", "p1 must be above p0 = 0.04 and below 1, not 0.04"),
        (f"{TWO_LIMITS} --lower=-1,2,2", "lower must be below boundary; at 2 it is 2 of 2"),
        (f"{TWO_LIMITS} --lower=0,0", "lower must be 3 numbers, one for each look"),
        (f"{SIMULATE} --site-gap-days 30", "--site-gap-days goes with --sites"),
        (f"{SIMULATE} --competing-onset uniform", "--competing-onset goes with --competing"),
        (f"{SIMULATE} --false-report-days 5", "--false-report-days goes with --false-reports"),
        (f"{SIMULATE} --target power=.8 --p1 .2 --rates .3", "--rates goes without --target"),
        (f"{SIMULATE} --p1 .2", "--target, --p1 and --alphas go together"),
        (f"{SHARE} --dropout .3", "--share-alpha goes without --dropout"),
        (f"{SHARE} --factors 3", "--share-alpha goes without --factors"),
        (f"{SHARE} --seed 1", "--share-alpha goes without --seed"),
        (f"{DESIGN} --p1 .2 --cards x.png", "'x.png' must end with .pdf"),
        (f"{DESIGN} --p1 .2 --r x.txt", "'x.txt' must end with .r"),
        ("chance NONE --events 1 --of 2", "RULE must be one of BLINA-HSCT.S1"),
        (f"{CHANCE} --events 4 --of 3", "--events must be from 0 to the 3 participants, not 4"),
        (f"{CHANCE} --events 0 --of 3 --prior 0,1", "--prior must be above 0"),
        ("arms 5 2/31", "'5' is no number of events and of participants like 5/30"),
        ("arms 5/4 2/31", "events of an arm must be from 0 to its 4 participants, not 5"),
        ("arms 5/30 2/31 --prior 1", "--prior must be two numbers like 0.5,0.5"),
        ("arms 5/30 2/31 --theta nan", "--theta: 'nan' is no number"),
        (f"{DESIGN} --p1 .05", "p1 must be above p0 = 0.05 and below 1, not 0.05"),
        (f"{DESIGN} --p1 1.5", "p1 must be above p0 = 0.05 and below 1, not 1.5"),
        (f"{DESIGN} --p0 0", "p0 must be above 0 and below 1, not 0"),
        (f"{DESIGN} --n 1 --alpha .01", "no boundary that can be reached"),
        (f"{DESIGN} --prior 1", "prior must be 2 number(s), not 1"),
    ],
)
def test_what_cannot_be_computed_names_the_argument_and_its_range(capsys, line, problem):
    try:
        code = main(line.split())
    except SystemExit as exit_info:
        code = exit_info.code
    assert code == 2
    assert problem in capsys.readouterr().err
