"""The arguments of a design: both sides of each limit, and what is said beyond it."""

import math

import pytest

from services.safety_rules.domain.stopping.design import make_design

BASE = {"family": "pocock", "p0": 0.1, "alpha": 0.3, "n": 10}
BAYES = {"family": "beta-binomial", "prior": (0.2, 1.8)}
CHEN = {**BAYES, "family": "chen-chaloner", "p1": 0.2, "nu": 0.5}
THETA = {**BAYES, "family": "posterior", "theta": 0.9}
TABLE = {"family": "table", "n": 2, "boundary": (1, 2)}
AT_1000 = {"family": "table", "n": 1000, "looks": (1000,), "boundary": (120,)}

ARGUMENTS = {  # arguments beside those of BASE
    "no arguments else": {},
    "one participant": {"n": 1},
    "one participant, a table": {"family": "table", "n": 1, "boundary": (1,)},
    "the most participants": AT_1000,
    "a p0 near 0": {"p0": 1e-6},
    "a p0 near 1": {"p0": 0.999, "alpha": 0.9999},
    "an alpha near 1": {"alpha": 0.999},
    "a first and a last look": {"looks": (1, 10)},
    "a small prior": {**BAYES, "prior": (0.01, 0.01)},
    "a p1 just above p0": {"family": "sprt", "p1": 0.1001},
    "a p1 just below 1": {"family": "sprt", "p1": 0.999},
    "a delta of 0": {"family": "wang-tsiatis", "delta": 0},
    "a delta of 1": {"family": "wang-tsiatis", "delta": 1},
    "a small nu": {**CHEN, "nu": 0.001},
    "theta, or more": {**THETA, "strictly": 0},
    "more than theta": {**THETA, "strictly": 1},
    "a limit of its own": {**THETA, "limit": 0.01},
    "whole numbers as they are computed": {"family": "table", "n": 2, "boundary": (1.0, 2.0)},
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_what_is_within_its_range_makes_a_design(arguments):
    design = make_design(**(BASE | arguments))
    assert 0 < design.attained_alpha < 1
    assert design.attained_alpha <= design.alpha or design.family == "posterior"


def test_a_chance_that_rounding_would_take_below_0_is_0():
    design = make_design(**(BASE | AT_1000 | {"boundary": (900,)}))
    assert design.attained_alpha == 0.0


ALPHA, P0 = "alpha must be above 0 and below 1", "p0 must be above 0 and below 1"
N = "n must be a whole number from 1 to 1000"
LOOKS = "looks must be whole, increasing and from 1 to n = 10"
PRIOR, NU = "prior must be above 0 and at most 1e+06", "nu must be above 0 and below 1"
P1, DELTA = "p1 must be above 0.1 and below 1", "delta must be from 0 to 1"
STRICTLY = "strictly must be 0 (>=) or 1 (>)"
EACH_LOOK = "boundary must be 2 positive numbers, one for each look"

FAULTS = {  # arguments beside those of BASE; the message
    "an unknown family": ({"family": "haybittle"}, "family 'haybittle' is unknown; one of: pocock"),
    "a p0 of 0": ({"p0": 0}, f"{P0}, not 0"),
    "a p0 below 0": ({"p0": -0.5}, f"{P0}, not -0.5"),
    "a p0 of 1": ({"p0": 1}, f"{P0}, not 1"),
    "a table with a p0 of 0": ({**TABLE, "p0": 0}, f"{P0}, not 0"),
    "a table with a p0 of 1": ({**TABLE, "p0": 1}, f"{P0}, not 1"),
    "an alpha of 0": ({"alpha": 0}, f"{ALPHA}, not 0"),
    "an alpha of 1": ({"alpha": 1}, f"{ALPHA}, not 1"),
    "a table with an alpha of 0": ({**TABLE, "alpha": 0}, f"{ALPHA}, not 0"),
    "a table with an alpha of 1": ({**TABLE, "alpha": 1}, f"{ALPHA}, not 1"),
    "no participants": ({"n": 0}, f"{N}, not 0"),
    "too many participants": ({"n": 1001}, f"{N}, not 1001"),
    "half a participant": ({"n": 9.5}, f"{N}, not 9.5"),
    "no number of participants": ({"n": True}, f"{N}, not True"),
    "a table without participants": ({**TABLE, "n": 0}, f"{N}, not 0"),
    "a table of too many participants": ({**AT_1000, "n": 1001}, f"{N}, not 1001"),
    "a look at nobody": ({"looks": (0, 5)}, f"{LOOKS}, not 0,5"),
    "a look after the last": ({"looks": (5, 11)}, f"{LOOKS}, not 5,11"),
    "a look twice": ({"looks": (5, 5)}, f"{LOOKS}, not 5,5"),
    "looks that fall": ({"looks": (5, 3)}, f"{LOOKS}, not 5,3"),
    "a look at a half": ({"looks": (2.5, 5)}, f"{LOOKS}, not 2.5,5"),
    "a parameter too few": ({"family": "sprt"}, "p1 is missing: sprt needs p1"),
    "a parameter too many": ({"p1": 0.3}, "p1 is no parameter of pocock"),
    "a prior of three numbers": ({**BAYES, "prior": (1, 1, 1)}, "prior must be 2 number(s), not 3"),
    "a limit of two numbers": ({**THETA, "limit": (0.1, 0.2)}, "limit must be 1 number(s), not 2"),
    "a prior of 0": ({**BAYES, "prior": (1, 0)}, f"{PRIOR}, not 0"),
    "a prior without end": ({**BAYES, "prior": (math.inf, 1)}, f"{PRIOR}, not inf"),
    "a p1 of p0": ({"family": "sprt", "p1": 0.1}, f"{P1}, not 0.1"),
    "a p1 of 1": ({"family": "sprt", "p1": 1}, f"{P1}, not 1"),
    "a delta below 0": ({"family": "wang-tsiatis", "delta": -0.1}, f"{DELTA}, not -0.1"),
    "a delta above 1": ({"family": "wang-tsiatis", "delta": 1.1}, f"{DELTA}, not 1.1"),
    "a nu of 0": ({**CHEN, "nu": 0}, f"{NU}, not 0"),
    "a nu of 1": ({**CHEN, "nu": 1}, f"{NU}, not 1"),
    "neither more nor as much": ({**THETA, "strictly": 0.5}, f"{STRICTLY}, not 0.5"),
    "more than more": ({**THETA, "strictly": 2}, f"{STRICTLY}, not 2"),
    "less than as much": ({**THETA, "strictly": -1}, f"{STRICTLY}, not -1"),
    "a boundary of 0 events": ({**TABLE, "boundary": (0, 2)}, EACH_LOOK),
    "a boundary for one look of two": ({**TABLE, "boundary": (2,)}, EACH_LOOK),
    "a boundary for three looks of two": ({**TABLE, "boundary": (1, 2, 2)}, EACH_LOOK),
    "half an event": (
        {**TABLE, "boundary": (1, 1.5)},
        "boundary must be whole numbers, not 1,1.5",
    ),
    "a table without a boundary": (
        {"family": "table"},
        "boundary is what a table needs, and nothing else",
    ),
    "a table with a prior": (
        {**TABLE, "prior": (1, 1)},
        "boundary is what a table needs, and nothing else",
    ),
    "a boundary without end": (
        {**TABLE, "boundary": (math.inf, math.inf)},
        "boundary must be whole numbers, not inf,inf",
    ),
    "a boundary that is no number": (
        {**TABLE, "boundary": (1, math.nan)},
        "boundary must be whole numbers, not 1,nan",
    ),
    "a boundary beyond all trials": (
        {**TABLE, "boundary": (1e30, 2)},
        "boundary must be numbers up to 1001, not 1e+30",
    ),
    "a boundary just beyond all trials": (
        {**TABLE, "boundary": (1002, 2)},
        "boundary must be numbers up to 1001, not 1002",
    ),
    "a boundary that falls": (
        {**TABLE, "n": 5, "boundary": (3, 3, 3, 2, 2)},
        "boundary must not fall from one look to the next: 2 at 4 after 3 at 3",
    ),
    "a boundary that falls at looks": (
        {**TABLE, "n": 9, "looks": (5, 9), "boundary": (4, 3)},
        "boundary must not fall from one look to the next: 3 at 9 after 4 at 5",
    ),
    "a table that never stops": (
        {**TABLE, "boundary": (2, 3)},
        "boundary must be at or below the size of some look: this rule can never stop",
    ),
    "a theta that no count reaches": (
        {**THETA, "n": 1, "theta": 0.9999},
        "theta is 0.9999, which no count reaches: this rule can never stop",
    ),
    "no boundary that keeps alpha": (
        {"n": 1, "alpha": 0.05},
        "this rule is infeasible, as it can never stop; alpha or n must be larger",
    ),
    "no boundary that keeps alpha and nu": (
        {**CHEN, "n": 1, "alpha": 0.05},
        "this rule is infeasible, as it can never stop; alpha or n must be larger, or nu smaller",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), FAULTS.values(), ids=FAULTS)
def test_what_is_out_of_its_range_is_named(arguments, message):
    with pytest.raises(ValueError, match=r"must|is") as error:
        make_design(**(BASE | arguments))
    assert message in str(error.value)


RATES = [(-0.1, False), (0, True), (1, True), (1.1, False)]


@pytest.mark.parametrize(("rate", "is_allowed"), RATES)
def test_a_rate_is_from_0_to_1(rate, is_allowed):
    design = make_design(**BASE)
    if is_allowed:
        assert design.evaluate_at((rate,)).characteristics[0].rate == rate
    else:
        with pytest.raises(ValueError, match=f"rates must be from 0 to 1, not {rate}"):
            design.evaluate_at((rate,))


ENROLMENT = {  # days of accrual and of the window; the message, empty: none
    "no accrual": (0, 30, "accrual_days must be above 0 and up to 3650 days, not 0"),
    "a short accrual": (0.5, 30, ""),
    "an accrual of ten years": (3650, 3650, ""),
    "a longer accrual": (
        3650.5,
        30,
        "accrual_days must be above 0 and up to 3650 days, not 3650.5",
    ),
    "an accrual without end": (
        math.inf,
        30,
        "accrual_days must be above 0 and up to 3650 days, not inf",
    ),
    "no window": (100, 0, ""),
    "a window below 0": (100, -0.5, "window_days must be from 0 up to 3650 days, not -0.5"),
    "a window without end": (100, math.inf, "window_days must be from 0 up to 3650 days, not inf"),
}


@pytest.mark.parametrize(
    ("accrual_days", "window_days", "message"), ENROLMENT.values(), ids=ENROLMENT
)
def test_accrual_takes_time_and_a_window_may_take_none(accrual_days, window_days, message):
    design = make_design(**BASE, rates=(0.1,))
    if message:
        with pytest.raises(ValueError, match="days must be") as error:
            design.compute_enrolment(accrual_days, window_days)
        assert str(error.value) == message
    else:
        ((people, days),) = design.compute_enrolment(accrual_days, window_days)
        assert 1 <= people <= 10
        assert days > window_days


TABLES = {  # boundary of 5; the table of x = 0 .. 5, and its type I error at .2
    "above every size, then not": ((1001, 1001, 3, 3, 3), (1, 2, 3, 3, 3, 3), 0.05792),
    "a number that is above its look, then a lower one": (
        (5, 2, 2, 3, 3),
        (1, 2, 2, 2, 3, 3),
        0.11936,
    ),
    "level": ((1, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1), 1 - 0.8**5),
}


@pytest.mark.parametrize(("boundary", "table", "error"), TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("alpha", [0.05, 0.3, 0.9])
def test_a_table_is_taken_as_it_is_with_its_own_error(alpha, boundary, table, error):
    design = make_design("table", 0.2, alpha, 5, boundary=boundary)
    assert tuple(design.table) == table
    assert design.attained_alpha == pytest.approx(error, abs=5e-6)
    assert design.exceeds_alpha == (error > alpha)


@pytest.mark.parametrize("p0", [0.1, 0.3, 0.5, 0.7])
def test_a_table_whose_error_is_alpha_but_for_rounding_does_not_exceed_it(p0):
    assert not make_design("table", p0, p0, 1, boundary=(1,)).exceeds_alpha
    assert make_design("table", p0, p0 - 1e-9, 1, boundary=(1,)).exceeds_alpha
