"""The words in which people read recommendations."""

import re

import pytest

from services.alerts.domain.due_notice import Reason
from services.alerts.domain.wording import LAST_LINE, write_notice
from services.vocabulary.alert import Alert, AlertKind, Level
from services.vocabulary.recommendation import Advice, AdviceKind
from tests.helpers.fact_notes import HOUR_ZERO, hours

NEURO = Advice(
    participant="P-004",
    kind=AdviceKind.DOSE,
    rule="neurotoxicity",
    level=2,
    says="withhold blinatumomab",
    since=HOUR_ZERO,
    because=("Tremor, grade 3 reached on treatment day 4, infusion running at 16 ug/d",),
    then=("withhold until grade 1 or less, and for 3 days at least",),
    missing=("infusion rate",),
    may_be="discontinue blinatumomab",
    transplant_day=78,
    treatment_day=4,
)
HYS = Advice(
    participant="P-004",
    kind=AdviceKind.HYS_LAW,
    rule="hys_law",
    level=1,
    says="Hy's law suspected",
    since=HOUR_ZERO,
    because=("ALT 130 U/L (ULN 40), more than 3 x ULN, on treatment day 4",),
    missing=("ALP below the limit in the same span",),
    transplant_day=78,
    treatment_day=4,
)
MISSED_DOSE = Advice(
    participant="P-004",
    kind=AdviceKind.DEVIATION,
    rule="premedication",
    level=1,
    says="dexamethasone missing before day 1 of course 1",
    since=HOUR_ZERO,
    until=HOUR_ZERO,
    because=("no 20 mg of dexamethasone in the 1 hour before it",),
    transplant_day=75,
    treatment_day=1,
    over_on=1,
)
ADVICE = [NEURO, HYS, MISSED_DOSE]


def lines(advice, reason=Reason.FIRST, **changes):
    alert = Alert(
        id="1e1937cb-5882-59bf-a523-2dfc960077a8",
        level=Level.PARTICIPANT,
        kind=AlertKind(str(advice.kind)),
        study="BLINA-HSCT",
        about="P-004",
        participant="P-004",
        grade=advice.level,
        roles=("safety_officer",),
        escalate_to=(),
        acknowledge_within_s=1,
        opened_at=HOUR_ZERO,
        detail=advice,
        protocol="protocol v1 DRAFT, signed by nobody",
        suspected=advice.suspected,
        provisional=advice.provisional,
        **changes,
    )
    text = write_notice(alert, reason, "LINK")
    return [text.subject, *text.body.splitlines()]


NAMES = [
    "Alert DV4I (1e1937cb-5882-59bf-a523-2dfc960077a8), protocol v1 DRAFT, signed by nobody.",
    LAST_LINE,
]


def test_a_recommendation_about_the_dose():
    assert lines(NEURO) == [
        "[BLINA-HSCT] P-004: recommended: withhold blinatumomab   (alert DV4I, protocol v1 DRAFT)",
        "Suspected. Recommended: withhold blinatumomab.",
        "P-004: since transplant day 78, treatment day 4.",
        "Because: Tremor, grade 3 reached on treatment day 4, infusion running at 16 ug/d.",
        "It may be: discontinue blinatumomab; missing: infusion rate.",
        (
            "To do: settle the dose with the investigator (`aegis dose --participant P-004`)."
            " Acknowledge: LINK"
        ),
        "Then: withhold until grade 1 or less, and for 3 days at least.",
        *NAMES,
    ]


def test_hys_law():
    assert lines(HYS)[1:6] == [
        "Suspected. Hy's law suspected.",
        "P-004: since transplant day 78, treatment day 4.",
        "Because: ALT 130 U/L (ULN 40), more than 3 x ULN, on treatment day 4.",
        "Missing: ALP below the limit in the same span.",
        (
            "To do: settle the cause with the investigator; it may have to be reported"
            " (`aegis dose --participant P-004`). Acknowledge: LINK"
        ),
    ]


def test_a_deviation_is_a_fact_and_not_suspected():
    subject, first, second, *_ = lines(MISSED_DOSE)
    text = "dexamethasone missing before day 1 of course 1"
    assert subject.startswith(f"[BLINA-HSCT] P-004: protocol deviation: {text}   (alert")
    assert first == f"Protocol deviation: {text}."
    assert second == "P-004: since transplant day 75, treatment day 1."


def test_what_is_over_says_until_when():
    expired_advice = Advice(
        "P-004", AdviceKind.DOSE, "crs", 1, "interrupt blinatumomab", HOUR_ZERO, hours(24),
        transplant_day=78, treatment_day=4, over_on=5, suspected=False, provisional=True,
    )  # fmt: skip
    _, first, second, *_ = lines(expired_advice)
    assert first == "Confirmed, provisional. Recommended: interrupt blinatumomab."
    assert second == "P-004: since transplant day 78, treatment day 4, until treatment day 5."


@pytest.mark.parametrize(
    ("advice", "first_line"),
    [
        (NEURO, "More is recommended than when you were last told."),
        (HYS, "It is more certain than when you were last told."),
    ],
)
def test_what_is_news_says_what_rose(advice, first_line):
    assert lines(advice, Reason.GRADE_ROSE)[2] == first_line


@pytest.mark.parametrize("advice", ADVICE)
def test_what_was_corrected_is_taken_back_with_what_it_said(advice):
    subject, first, second, *_ = lines(advice, Reason.RETRACTED, retracted=True)
    assert subject.startswith("Retracted: [BLINA-HSCT] P-004: ")
    assert first.startswith("Alert DV4I is taken back: the facts behind it were corrected")
    assert advice.says in second


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("advice", ADVICE)
def test_no_notice_has_a_date(advice, reason):
    text = "\n".join(lines(advice, reason))
    assert re.findall(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}\b|\b2026\b", text) == []
