"""Gray's test, against the figures of cmprsk 2.2-11 (`cuminc`) of R 4.2.2 for the same data."""

import pytest

from services.safety_rules.domain.endpoints.gray_test import compare_incidence
from services.safety_rules.domain.endpoints.risk_sets import Spell

# last day and outcome of each participant: 0 censored, 1 the event, 2 a competing one
ARMS = {
    "a": "5:1 8:0 12:1 12:2 20:1 25:0 31:2 40:1 40:1 55:0 60:2 71:1 83:0 90:0 90:0",
    "b": "3:2 9:1 12:0 18:1 22:2 27:2 27:1 35:0 44:1 50:2 58:0 66:1 75:2 88:0 90:0",
    "c": "7:1 7:1 15:2 28:1 33:1 41:0 52:1 63:1 79:2 90:0",
}


def make_spells(text, causes=("", "event", "other"), entry=1):
    ends = [tuple(map(int, word.split(":"))) for word in text.split()]
    return [
        Spell(f"P-{number}", entry, day, causes[outcome])
        for number, (day, outcome) in enumerate(ends)
    ]


@pytest.mark.parametrize(
    ("arms", "cause", "statistic", "p_value"),
    [
        ("ab", "event", 0.1438951873, 0.7044389702),
        ("ab", "other", 0.6330241193, 0.4262482121),
        ("abc", "event", 1.410154302, 0.4940704548),
        ("abc", "other", 1.078969594, 0.5830485634),
    ],
)
def test_groups_are_compared_as_in_r(arms, cause, statistic, p_value):
    result = compare_incidence({arm: make_spells(ARMS[arm]) for arm in arms}, cause)
    assert result.statistic == pytest.approx(statistic, rel=1e-9)
    assert result.p_value == pytest.approx(p_value, rel=1e-9)
    assert result.degrees_of_freedom == len(arms) - 1


def test_without_competing_events_too():
    groups = {arm: make_spells(ARMS[arm], ("", "event", "")) for arm in "ab"}
    assert compare_incidence(groups, "event").statistic == pytest.approx(0.07457906923, rel=1e-9)


def test_everybody_with_the_event_at_the_end():
    texts = {
        "a": "1:1 2:0 3:1 4:0 5:1 6:0 7:0 8:1 9:1 10:0 11:0 12:1 13:0 14:0 15:0",
        "b": "16:0 17:1 18:0 19:1 20:0 21:0 22:1 23:0 24:1 25:0 26:0 27:1 28:0 29:0 30:0",
    }
    groups = {arm: make_spells(text) for arm, text in texts.items()}
    assert compare_incidence(groups, "event").statistic == pytest.approx(9.725746185, rel=1e-9)


def test_names_and_order_of_groups_and_of_participants_change_nothing():
    result = compare_incidence({arm: make_spells(ARMS[arm]) for arm in "abc"}, "event")
    groups = {name: make_spells(ARMS[arm])[::-1] for name, arm in zip("zyx", "abc", strict=True)}
    assert compare_incidence(groups, "event").statistic == pytest.approx(
        result.statistic, rel=1e-12
    )


@pytest.mark.parametrize(
    "groups",
    [
        {},
        {"a": make_spells(ARMS["a"])},
        {"a": make_spells(ARMS["a"]), "b": []},
        {"a": make_spells("5:0 6:2"), "b": make_spells("7:0 8:2")},
        {"a": make_spells("5:0 6:0"), "b": make_spells("7:0 8:1")},  # a was gone on day 8
    ],
)
def test_where_there_is_nothing_to_compare_there_is_no_test(groups):
    assert compare_incidence(groups, "event") is None


def test_an_empty_group_is_as_if_it_were_not_there():
    groups = {arm: make_spells(ARMS[arm]) for arm in "ab"}
    assert compare_incidence(groups | {"c": []}, "event") == compare_incidence(groups, "event")


def test_delayed_entry_is_refused():
    groups = {"a": make_spells(ARMS["a"]), "b": make_spells("70:1", entry=60)}
    with pytest.raises(ValueError, match="entry must not be delayed"):
        compare_incidence(groups, "event")
