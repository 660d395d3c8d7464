"""Who is at risk of which endpoint, from when, until what: told in days after the transplant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS, find_spell
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.endpoints.risk_sets import Spell
from services.safety_rules.domain.facts.anchors import Anchors, find_anchors
from services.safety_rules.domain.syndromes.gvhd import AcuteGrade, grade_acute_gvhd
from services.vocabulary.fact import Death, GvhdStage, Relapse
from tests.helpers.fact_notes import fact
from tests.helpers.protocols import PROTOCOL

GRAFT = datetime(2026, 1, 1, 12, tzinfo=UTC)
BY_ID = {endpoint.id: endpoint for endpoint in ENDPOINTS}


def day(number):
    return GRAFT + timedelta(days=number)


def followed(text, until=200, name="P-001"):
    """``infusion 78 relapse 90 II 95 moderate 120``: what happened on which transplant day."""
    words = iter(text.split())
    at, acute, chronic = {}, [], []
    stages = {
        "I": GvhdStage(1, 0, 0, 0), "II": GvhdStage(3, 0, 0, 0), "III": GvhdStage(0, 2, 0, 0),
        "II?": GvhdStage(1, 0, None, 0),
    }  # fmt: skip
    for what in words:
        when = day(float(next(words)))
        if what in stages:
            acute.append((when, stages[what]))
        elif what in ("none", "mild", "moderate", "severe"):
            chronic.append((when, what))
        else:
            at[what] = when
    known = Anchors(
        graft_at=GRAFT,
        courses=(at.get("infusion", day(78)),),
        relapsed_at=at.get("relapse"),
        died_at=at.get("death"),
        second_graft_at=at.get("graft"),
    )
    return FollowUp(name, known, day(until), tuple(acute), tuple(chronic))


def short(found):
    if isinstance(found, Spell):
        return f"{found.entry}-{found.last} {found.cause}".strip()
    return f"{found.why}, day {found.day}"


CASES = [
    # endpoint, what happened, at risk and why it ended
    ("os", "", "78-200"),
    ("os", "relapse 90 death 95", "78-95 os"),
    ("os", "relapse 70", "78-200"),  # a relapse does not end survival
    ("pfs", "relapse 90 death 95", "78-90 pfs"),
    ("pfs", "death 95", "78-95 pfs"),
    ("pfs", "relapse 70", "had it before entry, day 70"),
    ("nrm", "death 95", "78-95 nrm"),
    ("nrm", "relapse 90 death 95", "78-90 relapse"),
    ("nrm", "relapse 95 death 95", "78-95 relapse"),
    ("nrm", "relapse 70 death 95", "relapse before entry, day 70"),
    ("relapse", "relapse 90 death 95", "78-90 relapse"),
    ("relapse", "death 95", "78-95 death"),
    ("relapse", "graft 85 relapse 90", "78-90 relapse"),  # it does not compete here
    ("agvhd-2-4", "I 80 II 90 III 95", "78-90 agvhd-2-4"),
    ("agvhd-3-4", "I 80 II 90 III 95", "78-95 agvhd-3-4"),
    ("agvhd-2-4", "II 40 II 90", "had it before entry, day 40"),
    ("agvhd-3-4", "II 40 III 90", "78-90 agvhd-3-4"),
    ("agvhd-2-4", "graft 85 II 90", "78-85 second_transplant"),
    ("agvhd-2-4", "relapse 85 II 90", "78-85 relapse"),
    ("agvhd-2-4", "death 85", "78-85 death"),
    ("agvhd-2-4", "II? 85", "78-200"),
    ("cgvhd", "none 90 mild 120", "78-120 cgvhd"),
    ("cgvhd-moderate", "mild 120 moderate 150", "78-150 cgvhd-moderate"),
    ("cgvhd-moderate", "severe 150", "78-150 cgvhd-moderate"),
    ("cgvhd", "relapse 100 mild 120", "78-100 relapse"),
    ("os", "death 78.2", "78-78 os"),  # on the day of the first infusion, after it
    ("agvhd-2-4", "II 78", "had it before entry, day 78"),  # at its very instant
    ("os", "death 200", "78-200 os"),  # the last that was seen
    ("os", "death 201", "78-200"),  # not known to the follow-up
]


@pytest.mark.parametrize(("endpoint", "text", "expected"), CASES)
def test_who_is_at_risk_and_how_it_ends(endpoint, text, expected):
    assert short(find_spell(BY_ID[endpoint], followed(text), "transplant")) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("death 95", "0-17 os"), ("", "0-122"), ("death 78.2", "0-0 os")]
)
def test_the_clock_from_the_first_infusion_starts_at_0(text, expected):
    assert short(find_spell(BY_ID["os"], followed(text), "first_infusion")) == expected


def test_without_a_transplant_only_the_other_clock_runs():
    of = followed("")
    of = replace(of, anchors=replace(of.anchors, graft_at=None))
    found = find_spell(BY_ID["os"], of, "transplant")
    assert (found.why, found.day) == ("no transplant is known", None)
    assert short(find_spell(BY_ID["os"], of, "first_infusion")) == "0-122"


def test_who_left_before_the_first_infusion_was_never_at_risk():
    found = find_spell(BY_ID["os"], followed("", until=50), "transplant")
    assert short(found) == "follow-up ended before entry, day 50"


def test_who_was_never_treated_is_no_case():
    of = followed("")
    with pytest.raises(ValueError, match="P-001 was never treated"):
        find_spell(BY_ID["os"], replace(of, anchors=Anchors(graft_at=GRAFT)), "transplant")


def test_days_are_those_of_the_site():
    of = followed("death 95")
    of = replace(of, anchors=replace(of.anchors, timezone="Asia/Tokyo", died_at=day(95.2)))
    assert short(find_spell(BY_ID["os"], of, "transplant")) == "78-96 os"  # 01:48 there


# Source: Harris et al. 2016, Biol Blood Marrow Transplant 22:4-10, table 2
MAGIC = {  # skin, liver, upper gut, lower gut
    (0, 0, 0, 0): "NONE",
    (1, 0, 0, 0): "I",
    (2, 0, 0, 0): "I",
    (3, 0, 0, 0): "II",
    (0, 1, 0, 0): "II",
    (0, 0, 1, 0): "II",
    (0, 0, 0, 1): "II",
    (3, 1, 1, 1): "II",
    (0, 2, 0, 0): "III",
    (0, 3, 0, 0): "III",
    (0, 0, 0, 2): "III",
    (3, 0, 1, 3): "III",
    (4, 0, 0, 0): "IV",
    (0, 4, 0, 0): "IV",
    (0, 0, 0, 4): "IV",
}


@pytest.mark.parametrize(("stages", "grade"), MAGIC.items())
def test_the_most_severe_organ_decides_the_overall_grade(stages, grade):
    assert grade_acute_gvhd(GvhdStage(*stages)) == (AcuteGrade[grade], AcuteGrade[grade])


INCOMPLETE = [
    (GvhdStage(1, 0, None, 0), "I", "II"),  # upper gut has one stage only
    (GvhdStage(1, None, 0, 0), "I", "IV"),
    (GvhdStage(None, 0, 0, 0), "NONE", "IV"),
    (GvhdStage(4, None, None, None), "IV", "IV"),
    (GvhdStage(), "NONE", "IV"),
]


@pytest.mark.parametrize(("stages", "least", "most"), INCOMPLETE)
def test_an_organ_that_was_not_assessed_leaves_the_grade_open(stages, least, most):
    assert grade_acute_gvhd(stages) == (AcuteGrade[least], AcuteGrade[most])


def cohort():
    return [
        followed("infusion 60 death 70", name="P-1"),
        followed("infusion 62 II? 80", until=100, name="P-2"),
        followed("infusion 65 II 64", until=120, name="P-3"),
        followed("infusion 66 II 90", until=120, name="P-4"),
        followed("infusion 66 I 90 relapse 95", until=120, name="P-5"),
        followed("infusion 69", until=99, name="P-6"),
    ]


def test_a_curve_lists_who_is_left_out_who_is_doubtful_and_where_few_are_at_risk():
    made = estimate_curve(BY_ID["agvhd-2-4"], cohort(), "transplant", (50, 80, 100, 183))
    assert (made.participants, made.events) == (5, 1)
    assert made.competing == {"death": 1, "relapse": 1, "second_transplant": 0}
    assert [(one.participant, one.day) for one in made.not_at_risk] == [("P-3", 64)]
    assert made.possible == ("P-2",)
    assert made.never_assessed == ("P-1", "P-6")
    assert made.few_at_risk == ((90, 4),)
    assert [one.at_risk for one in made.landmarks] == [0, 4, 1, 0]
    assert [one.events for one in made.landmarks] == [0, 0, 1, 1]
    # 4/5 of those at risk on day 70 survive; then 1 of 4: 1/5; nobody is followed to day 183
    assert [one.estimate and one.estimate.value for one in made.landmarks] == [
        None, 0.0, pytest.approx(1 / 5), None,
    ]  # fmt: skip


def test_four_at_risk_are_few_and_five_are_not():
    dying = [followed(f"death {90 + n}", name=f"P-{n}") for n in range(6)]
    made = estimate_curve(BY_ID["os"], dying, "transplant", ())
    assert made.few_at_risk == ((92, 4), (93, 3), (94, 2), (95, 1))


def test_what_was_seen_at_the_first_infusion_itself_says_nothing_of_the_time_after():
    made = estimate_curve(BY_ID["agvhd-2-4"], [followed("II? 78")], "transplant", (78,))
    assert (made.possible, made.never_assessed) == ((), ("P-001",))
    assert made.landmarks[0].estimate.value == 0  # read on the first day at risk


def test_who_left_early_leaves_the_end_of_the_curve_as_final_as_it_is():
    text = ["death 90", "", "death 95"]
    gone = [followed(t, until=85 if not t else 200, name=f"P-{n}") for n, t in enumerate(text)]
    made = estimate_curve(BY_ID["os"], gone, "transplant", (730,))
    assert made.landmarks[0].estimate.value == 0
    last_is_censored = [*gone[:2], followed("", until=95, name="P-3")]
    made = estimate_curve(BY_ID["os"], last_is_censored, "transplant", (730,))
    assert made.landmarks[0].estimate is None


def test_when_nobody_is_left_the_curve_is_known_for_ever():
    gone = [followed("death 90", name="P-1"), followed("relapse 95", name="P-2")]
    made = estimate_curve(BY_ID["pfs"], gone, "transplant", (730,))
    assert made.landmarks[0].estimate.value == 0


def test_of_nobody_there_is_a_curve_without_points():
    made = estimate_curve(BY_ID["os"], [], "transplant", (100,))
    assert (made.participants, made.points, made.landmarks[0].estimate) == (0, (), None)


@pytest.mark.parametrize(
    ("facts", "relapsed"),
    [
        ([fact(Death("relapse"), 48)], 48),
        ([fact(Relapse(), 24), fact(Death("relapse"), 48)], 24),
        ([fact(Relapse(), 72), fact(Death("relapse"), 48)], 48),  # found afterwards
        ([fact(Relapse(), 72), fact(Death("infection"), 48)], 72),
        ([fact(Death(), 48)], None),
        ([fact(Death("infection"), 48)], None),
    ],
)
def test_a_death_of_relapse_is_a_relapse_also_when_nobody_reported_it(facts, relapsed):
    found = find_anchors(facts, PROTOCOL).relapsed_at
    assert found == (None if relapsed is None else fact(Relapse(), relapsed).observed_at)
