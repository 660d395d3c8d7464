"""Time at risk of each endpoint and the reason for its end, in days after the transplant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.safety_rules.domain.endpoints.curves import estimate_curve
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS, find_spell
from services.safety_rules.domain.endpoints.follow_up import FollowUp
from services.safety_rules.domain.endpoints.risk_sets import Spell
from services.safety_rules.domain.facts.anchors import Anchors, find_anchors
from services.safety_rules.domain.syndromes.acute_gvhd import AcuteGrade, grade_acute_gvhd
from services.safety_rules.domain.syndromes.chronic_gvhd import SEVERITY
from services.vocabulary.clinical_fact import Death, GvhdStage, Relapse
from services.vocabulary.episode import Span
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import fact
from tests.helpers.protocols import PROTOCOL

GRAFT = datetime(2026, 1, 1, 12, tzinfo=UTC)
BY_ID = {endpoint.id: endpoint for endpoint in ENDPOINTS}


def day(number):
    return GRAFT + timedelta(days=number)


def make_follow_up(text, last_day=200, name="P-001"):
    """Follow-up from ``infusion 78 relapse 90 II 95``: each event on its transplant day."""
    words = iter(text.split())
    instants, acute, chronic = {}, [], []
    stages = {
        "I": GvhdStage(1, 0, 0, 0), "II": GvhdStage(3, 0, 0, 0), "III": GvhdStage(0, 2, 0, 0),
        "II?": GvhdStage(1, 0, None, 0),
    }  # fmt: skip
    for word in words:
        when = day(float(next(words)))
        if word in stages:
            acute.append((when, Span(*map(Grade, grade_acute_gvhd(stages[word])))))
        elif word in SEVERITY:
            chronic.append((when, Span(SEVERITY[word], SEVERITY[word])))
        else:
            instants[word] = when
    anchors = Anchors(
        graft_at=GRAFT,
        courses=(instants.get("infusion", day(78)),),
        relapsed_at=instants.get("relapse"),
        died_at=instants.get("death"),
        second_graft_at=instants.get("graft"),
    )
    return FollowUp(
        name,
        anchors,
        day(last_day),
        tuple(acute),
        tuple(chronic),
        stagings=tuple(at for at, _ in acute),
        visits=tuple(at for at, _ in chronic),
    )


def describe_spell(spell):
    if isinstance(spell, Spell):
        return f"{spell.entry}-{spell.last} {spell.cause}".strip()
    return f"{spell.why}, day {spell.day}"


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
    assert (
        describe_spell(find_spell(BY_ID[endpoint], make_follow_up(text), "transplant")) == expected
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("death 95", "0-17 os"), ("", "0-122"), ("death 78.2", "0-0 os")]
)
def test_the_clock_from_the_first_infusion_starts_at_0(text, expected):
    assert (
        describe_spell(find_spell(BY_ID["os"], make_follow_up(text), "first_infusion")) == expected
    )


def test_without_a_transplant_only_the_other_clock_runs():
    follow_up = make_follow_up("")
    follow_up = replace(follow_up, anchors=replace(follow_up.anchors, graft_at=None))
    not_at_risk = find_spell(BY_ID["os"], follow_up, "transplant")
    assert (not_at_risk.why, not_at_risk.day) == ("no transplant is known", None)
    assert describe_spell(find_spell(BY_ID["os"], follow_up, "first_infusion")) == "0-122"


@pytest.mark.parametrize(
    ("last_day", "expected"),
    [
        (50, "follow-up ended before entry, day 50"),
        (77.99, "follow-up ended before entry, day 78"),
        (78, "78-78"),
    ],
)
def test_who_left_before_the_first_infusion_was_never_at_risk(last_day, expected):
    spell = find_spell(BY_ID["os"], make_follow_up("", last_day=last_day), "transplant")
    assert describe_spell(spell) == expected


def test_who_was_never_treated_is_no_case():
    follow_up = make_follow_up("")
    with pytest.raises(ValueError, match="P-001 was never treated"):
        find_spell(BY_ID["os"], replace(follow_up, anchors=Anchors(graft_at=GRAFT)), "transplant")


def test_days_are_those_of_the_site():
    follow_up = make_follow_up("death 95")
    follow_up = replace(
        follow_up, anchors=replace(follow_up.anchors, timezone="Asia/Tokyo", died_at=day(95.2))
    )
    assert (
        describe_spell(find_spell(BY_ID["os"], follow_up, "transplant")) == "78-96 os"
    )  # 01:48 there


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


@pytest.mark.parametrize(("stages", "lowest", "highest"), INCOMPLETE)
def test_an_organ_that_was_not_assessed_leaves_the_grade_open(stages, lowest, highest):
    assert grade_acute_gvhd(stages) == (AcuteGrade[lowest], AcuteGrade[highest])


def make_cohort():
    return [
        make_follow_up("infusion 60 death 70", name="P-1"),
        make_follow_up("infusion 62 II? 80", last_day=100, name="P-2"),
        make_follow_up("infusion 65 II 64", last_day=120, name="P-3"),
        make_follow_up("infusion 66 II 90", last_day=120, name="P-4"),
        make_follow_up("infusion 66 I 90 relapse 95", last_day=120, name="P-5"),
        make_follow_up("infusion 69", last_day=99, name="P-6"),
    ]


def test_a_curve_lists_who_is_left_out_who_is_doubtful_and_where_few_are_at_risk():
    curve = estimate_curve(BY_ID["agvhd-2-4"], make_cohort(), "transplant", (50, 80, 100, 183))
    assert (curve.participants, curve.events) == (5, 1)
    assert curve.competing == {"death": 1, "relapse": 1, "second_transplant": 0}
    assert [(one.participant, one.day) for one in curve.not_at_risk] == [("P-3", 64)]
    assert curve.possible == ("P-2",)
    assert curve.never_assessed == ("P-1", "P-6")
    assert curve.few_at_risk == ((90, 4),)
    assert [one.at_risk for one in curve.landmarks] == [0, 4, 1, 0]
    assert [one.events for one in curve.landmarks] == [0, 0, 1, 1]
    # 4/5 of those at risk on day 70 survive; then 1 of 4: 1/5; nobody is followed to day 183
    assert [one.estimate and one.estimate.value for one in curve.landmarks] == [
        None, 0.0, pytest.approx(1 / 5), None,
    ]  # fmt: skip


def test_four_at_risk_are_few_and_five_are_not():
    participants = [make_follow_up(f"death {90 + n}", name=f"P-{n}") for n in range(6)]
    curve = estimate_curve(BY_ID["os"], participants, "transplant", ())
    assert curve.few_at_risk == ((92, 4), (93, 3), (94, 2), (95, 1))


def test_what_was_seen_at_the_first_infusion_itself_says_nothing_of_the_time_after():
    curve = estimate_curve(BY_ID["agvhd-2-4"], [make_follow_up("II? 78")], "transplant", (78,))
    assert (curve.possible, curve.never_assessed) == ((), ("P-001",))
    assert curve.landmarks[0].estimate.value == 0  # read on the first day at risk


def test_who_left_early_leaves_the_end_of_the_curve_as_final_as_it_is():
    text = ["death 90", "", "death 95"]
    participants = [
        make_follow_up(t, last_day=85 if not t else 200, name=f"P-{n}") for n, t in enumerate(text)
    ]
    curve = estimate_curve(BY_ID["os"], participants, "transplant", (730,))
    assert curve.landmarks[0].estimate.value == 0
    last_is_censored = [*participants[:2], make_follow_up("", last_day=95, name="P-3")]
    curve = estimate_curve(BY_ID["os"], last_is_censored, "transplant", (730,))
    assert curve.landmarks[0].estimate is None


# GVHD of grade I or II, an organ not assessed; whether the event may have come while at risk
POSSIBLE = {
    "at the very instant of the first infusion": ("II? 78", False),
    "just after it": ("II? 78.01", True),
    "at the last instant of the follow-up": ("II? 200", True),
    "after the follow-up": ("II? 200.01", False),
    "at the instant of a relapse": ("II? 85 relapse 85", True),
    "before entry and again after it": ("II? 60 II? 80", True),
    "before entry alone": ("II? 60", False),
    "after a relapse": ("II? 85.01 relapse 85", False),
}


@pytest.mark.parametrize(("text", "is_possible"), POSSIBLE.values(), ids=POSSIBLE)
def test_an_event_is_possible_while_at_risk(text, is_possible):
    curve = estimate_curve(BY_ID["agvhd-2-4"], [make_follow_up(text)], "transplant", ())
    assert curve.possible == (("P-001",) if is_possible else ())


def test_a_landmark_counts_its_own_day_and_lies_within_the_days_at_risk():
    participants = [make_follow_up("death 90"), make_follow_up("", last_day=95, name="P-002")]
    landmarks = (77, 78, 89, 90, 95, 96)
    curve = estimate_curve(BY_ID["os"], participants, "transplant", landmarks)
    assert [one.events for one in curve.landmarks] == [0, 0, 0, 1, 1, 1]
    assert [one.estimate and one.estimate.value for one in curve.landmarks] == [
        *(None, 1, 1),
        *(0.5, 0.5, None),
    ]


def test_when_nobody_is_left_the_curve_is_known_for_ever():
    participants = [
        make_follow_up("death 90", name="P-1"),
        make_follow_up("relapse 95", name="P-2"),
    ]
    curve = estimate_curve(BY_ID["pfs"], participants, "transplant", (730,))
    assert curve.landmarks[0].estimate.value == 0


def test_of_nobody_there_is_a_curve_without_points():
    curve = estimate_curve(BY_ID["os"], [], "transplant", (100,))
    assert (curve.participants, curve.points, curve.landmarks[0].estimate) == (0, (), None)


@pytest.mark.parametrize(
    ("facts", "hour"),
    [
        ([fact(Death("relapse"), 48)], 48),
        ([fact(Relapse(), 24), fact(Death("relapse"), 48)], 24),
        ([fact(Relapse(), 72), fact(Death("relapse"), 48)], 48),  # found afterwards
        ([fact(Relapse(), 72), fact(Death("infection"), 48)], 72),
        ([fact(Death(), 48)], None),
        ([fact(Death("infection"), 48)], None),
    ],
)
def test_a_death_of_relapse_is_a_relapse_also_when_nobody_reported_it(facts, hour):
    relapsed_at = find_anchors(facts, PROTOCOL).relapsed_at
    assert relapsed_at == (None if hour is None else fact(Relapse(), hour).observed_at)
