"""The words of notices, and the words that no notice may contain."""

import re
from dataclasses import replace

import pytest

from services.alerts.domain.due_notice import Reason
from services.alerts.domain.evidence import Evidence
from services.alerts.domain.wording import LAST_LINE, make_short_name, write_notice
from services.alerts.markup import render_mail
from services.vocabulary.alert import Alert, AlertKind, DeathDetail, Level, QuarantineDetail
from services.vocabulary.decision import Contributor, Decision, PathPoint, Reversal, Signal
from services.vocabulary.episode import Change, EpisodeContent, Span
from services.vocabulary.grade import Grade
from services.vocabulary.protocol import BoundaryStep
from tests.helpers.fact_notes import HOUR_ZERO, hours

LINK = "https://aegis.example.org/alerts/TOKEN"
DRAFT = "protocol v1 DRAFT, signed by nobody"

REACHED_DECISION = Decision(
    study="BLINA-HSCT",
    rule="BLINA-HSCT.S1",
    title="Severe CRS",
    in_words="CRS of grade 3 or worse (ASTCT), first dose to transplant day 100.",
    signal=Signal.BOUNDARY_REACHED,
    data_to=HOUR_ZERO.replace(month=9, day=1, hour=6),
    as_of=HOUR_ZERO.replace(month=9, day=1, hour=7),
    events=4,
    confirmed=3,
    upper=4,
    evaluable=11,
    not_exposed=3,
    beyond_plan=0,
    complete=9,
    pending=2,
    ess=9.6,
    boundary=3,
    events_left=0,
    free_until_rise=2,
    crossed_since=HOUR_ZERO,
    certain=True,
    possible=True,
    p_cross_p0=1.0,
    p_cross_posterior=1.0,
    predictive=1.0,
    posterior=(0.3, 0.1, 0.5),
    confirmed_crossed=True,
    upper_crossed=True,
    path=(
        PathPoint(HOUR_ZERO, 4.2, 2, 3, crossed=False),
        PathPoint(hours(24), 7.5, 3, 3, crossed=True),
    ),
    pending_weights=(0.5, 0.1),
    sensitivity=(),
    contributors=(
        Contributor("P-004", 3, confirmed=True, transplant_day=78, treatment_day=4),
        Contributor("P-007", 4, confirmed=False, transplant_day=None, treatment_day=None),
    ),
    steps=(BoundaryStep(2, 2, 4), BoundaryStep(3, 5, 11), BoundaryStep(4, 12, 40)),
    n=40,
    recommend="pause_enrolment",
    tell=("dsmb",),
    acknowledge_within_s=86400,
    protocol=DRAFT,
)
LIKELY = replace(
    REACHED_DECISION,
    signal=Signal.BOUNDARY_LIKELY,
    events=1,
    confirmed=0,
    confirmed_crossed=False,
    upper=2,
    upper_crossed=True,
    evaluable=2,
    ess=1.3,
    certain=False,
    p_cross_p0=0.234,
    predictive=0.004,
    prior=(0.1, 1.9),
    path=(PathPoint(HOUR_ZERO, 1.0, 1, 2, crossed=False),),
    contributors=REACHED_DECISION.contributors[:1],
    beyond_plan=2,
)
CRS = EpisodeContent(
    participant="P-004",
    criterion="astct-2019.crs",
    term="Cytokine release syndrome (ASTCT)",
    onset_at=HOUR_ZERO,
    history=(
        Change(HOUR_ZERO, Span(Grade.MILD, Grade.MILD), "fever, 38.4 Cel"),
        Change(hours(5), Span(Grade.SEVERE, Grade.SEVERE), "fever, 39.5 Cel; a vasopressor"),
    ),
    worst=Span(Grade.SEVERE, Grade.SEVERE),
    current=Span(Grade.MODERATE, Grade.SEVERE),
    windows=("course-30", "day-100"),
    transplant_day=78,
    treatment_day=4,
    confounders=("positive culture",),
)
POSSIBLE = replace(
    CRS,
    history=(
        Change(
            HOUR_ZERO, Span(Grade.MILD, Grade.LIFE_THREATENING), "fever", ("oxygen-device", "sbp")
        ),
    ),
    worst=Span(Grade.MILD, Grade.LIFE_THREATENING),
)


def alert_of(kind, **changes):
    level = Level.STUDY if "boundary" in kind else Level.PARTICIPANT
    fields = {
        "id": "7b387b40-a11c-5307-95d7-40999e4b69e3",
        "study": "BLINA-HSCT",
        "about": "BLINA-HSCT.S1" if level is Level.STUDY else "2b5c1e90-aaaa",
        "participant": "" if level is Level.STUDY else "P-004",
        "grade": 4,
        "roles": ("dsmb",),
        "escalate_to": (),
        "acknowledge_within_s": 3600,
        "opened_at": HOUR_ZERO,
        "detail": CRS,
        "protocol": DRAFT,
    }
    return Alert(level=level, kind=AlertKind(kind), **(fields | changes))


A_BOUNDARY = alert_of("boundary_reached")
AN_EPISODE = alert_of("episode", grade=3)
A_DEATH = alert_of("death", suspected=False, grade=5)
NAME = make_short_name(A_BOUNDARY.id)
SIGNATURE = [f"Alert {NAME} ({A_BOUNDARY.id}), {DRAFT}.", LAST_LINE]


def lines(alert, detail, reason=Reason.FIRST):
    text = write_notice(replace(alert, detail=detail), reason, LINK)
    return [text.subject, *text.body.splitlines()]


def test_the_boundary_mail_has_every_line_of_the_design():
    assert lines(A_BOUNDARY, REACHED_DECISION) == [
        f"[BLINA-HSCT.S1] Boundary reached: review required   (alert {NAME}, protocol v1 DRAFT)",
        (
            "Severe CRS: CRS of grade 3 or worse (ASTCT), first dose to transplant day 100."
            " Data to 2026-09-01 06:00 UTC."
        ),
        (
            "4 events at an effective 9.6 participants (11 treated, 2 pending);"
            " 3 events stop up to 11."
        ),
        "First reached with 3 events at an effective 7.5.",
        "Confirmed 3, suspected 1. Confirmed only: reached.",
        f"Recommended: pause enrolment until the DSMB has reviewed. Acknowledge: {LINK}",
        "No event-free completion of those pending can undo it.",
        "P-004 transplant day 78, treatment day 4: grade 3, confirmed",
        "P-007 transplant day unknown, treatment day unknown: grade 4, suspected",
        *SIGNATURE,
    ]


def test_a_boundary_that_is_likely_recommends_nothing_yet_and_says_how_likely():
    assert lines(alert_of("boundary_likely"), LIKELY)[:-2] == [
        f"[BLINA-HSCT.S1] Boundary likely   (alert {NAME}, protocol v1 DRAFT)",
        (
            "Severe CRS: CRS of grade 3 or worse (ASTCT), first dose to transplant day 100."
            " Data to 2026-09-01 06:00 UTC."
        ),
        "1 event at an effective 1.3 participants (2 treated, 2 pending); 2 events stop up to 4.",
        "Confirmed 0, suspected 1. Confirmed only: not reached.",
        "Incomplete grades at their upper ends: 2 events, reached.",
        f"Once it is reached: pause enrolment until the DSMB has reviewed. Acknowledge: {LINK}",
        (
            "Chance that those pending reach the boundary, at the acceptable rate: 23 %;"
            " of ever reaching it by 40, with a Beta(0.1, 1.9) prior: below 1 %."
        ),
        "The plan of 40 is exhausted: 2 treated after it are not counted.",
        "P-004 transplant day 78, treatment day 4: grade 3, confirmed",
    ]


@pytest.mark.parametrize(
    ("pending", "certain", "expected"),
    [
        (2, True, ["No event-free completion of those pending can undo it."]),
        (
            2,
            False,
            [
                (
                    "If all those pending complete without the event, the count then lies below the"
                    " boundary; that it was reached stands."
                )
            ],
        ),
        (0, True, []),
    ],
)
def test_what_those_pending_may_change_is_said_when_somebody_is_pending(pending, certain, expected):
    body = lines(A_BOUNDARY, replace(REACHED_DECISION, pending=pending, certain=certain))
    assert [line for line in body if "those pending" in line] == expected


def test_a_suspected_and_provisional_episode_says_so_in_its_first_line_for_every_reason():
    alert = replace(AN_EPISODE, provisional=True)
    for reason in set(Reason) - {Reason.RETRACTED, Reason.ENDED}:
        subject, first, *_ = lines(alert, CRS, reason)
        assert first.startswith("Suspected, provisional. "), reason
        assert "suspected, provisional" in subject


def test_an_episode_word_for_word():
    assert lines(AN_EPISODE, CRS) == [
        (
            "[BLINA-HSCT] P-004: Cytokine release syndrome (ASTCT), grade 3, suspected"
            f"   (alert {NAME}, protocol v1 DRAFT)"
        ),
        "Suspected. Cytokine release syndrome (ASTCT), worst grade 3.",
        "P-004: onset transplant day 78, treatment day 4; now grade 2-3.",
        "Because: fever, 39.5 Cel; a vasopressor.",
        "Could also be explained by: positive culture.",
        f"To do: confirm, reject or regrade it (`aegis adjudicate 2b5c1e90`). Acknowledge: {LINK}",
        "In windows: course-30, day-100.",
        *SIGNATURE,
    ]


def test_a_possible_episode_names_what_is_missing():
    subject, first, *_ = lines(alert_of("possible_episode", grade=1), POSSIBLE)
    assert "grade 1-4 possible, suspected" in subject
    assert first == (
        "Suspected. Cytokine release syndrome (ASTCT) may be grade 4; missing: oxygen-device, sbp."
    )


def test_a_death_says_the_days_and_the_cause():
    detail = DeathDetail("", 78, None)
    assert lines(A_DEATH, detail) == [
        f"[BLINA-HSCT] P-004: death   (alert {NAME}, protocol v1 DRAFT)",
        "P-004 died: transplant day 78, treatment day unknown.",
        f"Cause: not reported yet. Acknowledge: {LINK}",
        *SIGNATURE,
    ]


def test_records_that_are_not_up_to_date_say_what_to_look_at():
    body = lines(_make_quarantine_alert(), FAILURE)
    assert body[1] == "The facts of P-004 could not be applied to its records."


FAILURE = QuarantineDetail("ValueError")


def _make_quarantine_alert():
    return replace(alert_of("episode"), kind=AlertKind.QUARANTINE, level=Level.OPERATIONS)


@pytest.mark.parametrize(
    ("alert", "detail", "reason", "start"),
    [
        (AN_EPISODE, CRS, Reason.FIRST, "[BLINA-HSCT] P-004: Cytokine"),
        (alert_of("episode", grade=4), CRS, Reason.GRADE_ROSE, "Grade rose to 4: [BLINA-HSCT] P-0"),
        (A_BOUNDARY, REACHED_DECISION, Reason.GRADE_ROSE, "Now 4 events: [BLINA-HSCT.S1] Boundary"),
        (AN_EPISODE, CRS, Reason.NOT_ACKNOWLEDGED, "Reminder: [BLINA-HSCT] P-004: "),
        (AN_EPISODE, CRS, Reason.NOT_DELIVERED, "Not delivered to somebody: [BLINA-HSCT] P-004"),
        (AN_EPISODE, CRS, Reason.ESCALATION, "Escalated: [BLINA-HSCT] P-004: "),
        (AN_EPISODE, CRS, Reason.HOLDS_AGAIN, "Holds again: [BLINA-HSCT] P-004: "),
        (AN_EPISODE, CRS, Reason.RETRACTED, "Retracted: [BLINA-HSCT] P-004: "),
    ],
)  # fmt: skip
def test_the_subject_says_what_changed(alert, detail, reason, start):
    assert lines(alert, detail, reason)[0].startswith(start)


def test_the_value_stands_beside_the_threshold():
    evidence = Evidence(values=("potassium 7.2 mmol/L",))
    text = write_notice(AN_EPISODE, Reason.FIRST, LINK, evidence)
    assert "Because: potassium 7.2 mmol/L, fever, 39.5 Cel; a vasopressor." in text.body


def test_an_alert_of_a_rule_names_the_terms_that_count():
    alert = replace(A_BOUNDARY, detail=REACHED_DECISION)
    evidence = Evidence(terms={"P-004": "Anemia"})
    text = write_notice(alert, Reason.FIRST, LINK, evidence)
    assert "P-004 transplant day 78, treatment day 4: Anemia, grade 3, confirmed" in text.body
    assert "P-007 transplant day unknown, treatment day unknown: grade 4, suspected" in text.body


def test_task_and_link_stand_in_the_first_ten_lines_of_every_notice():
    for alert, detail in ALL_NOTICES:
        for reason in set(Reason) - {Reason.RETRACTED, Reason.ENDED}:
            body = lines(alert, detail, reason)[1:11]
            assert any(LINK in line for line in body), (alert.kind, reason)


@pytest.mark.parametrize(
    ("alert", "detail", "reason", "second"),
    [
        (A_BOUNDARY, REACHED_DECISION, Reason.GRADE_ROSE,
         "More events count than when you were last told."),
        (AN_EPISODE, CRS, Reason.GRADE_ROSE, "It is more severe than when you were last told."),
        (A_DEATH, DeathDetail("", 1, 1), Reason.NOT_ACKNOWLEDGED,
         "Not acknowledged in time by everybody who has to."),
        (AN_EPISODE, CRS, Reason.ESCALATION, "A person has escalated this to you."),
        (AN_EPISODE, CRS, Reason.HOLDS_AGAIN,
         "You may have been told that this no longer holds; it holds again."),
        (AN_EPISODE, CRS, Reason.NOT_DELIVERED,
         ("A notice of this could not be delivered to somebody who has to know: see to it that they"
         " do (`aegis alerts show`).")),
    ],
)  # fmt: skip
def test_the_second_line_says_why_it_is_sent_again(alert, detail, reason, second):
    assert lines(alert, detail, reason)[2] == second


@pytest.mark.parametrize(
    ("alert", "detail", "expected"),
    [
        (
            A_BOUNDARY,
            REACHED_DECISION,
            "BLINA-HSCT.S1: Boundary reached: review required, 4 events.",
        ),
        (
            AN_EPISODE,
            CRS,
            "P-004: Cytokine release syndrome (ASTCT), grade 3, suspected.",
        ),
        (A_DEATH, DeathDetail("", 1, 1), "P-004: death."),
    ],
)
def test_a_retraction_says_what_it_said_and_asks_nobody_to_acknowledge(alert, detail, expected):
    subject, *body = lines(replace(alert, retracted=True), detail, Reason.RETRACTED)
    assert subject.startswith("Retracted: [")
    assert body == [
        f"Alert {NAME} is taken back: the facts behind it were corrected, or judged otherwise.",
        f"It said: {expected}",
        "If anything was done because of it, look at that again.",
        "The earlier record stays readable.",
        *SIGNATURE,
    ]


def test_a_likely_boundary_that_passed_is_no_correction():
    alert = alert_of("boundary_likely", retracted=True)
    subject, first, *_ = lines(alert, LIKELY, Reason.RETRACTED)
    assert subject.startswith("No longer: [BLINA-HSCT.S1] Boundary likely")
    assert first == f"Alert {NAME} no longer holds: with what is known now, it is less likely."


UNDONE_DECISION = replace(REACHED_DECISION, undone=Reversal(2, 9.6, ("P-004", "P-007")))
CORRECTIONS = (
    "What changed: P-004, P-007 no longer count."
    " Now: 2 events at an effective 9.6 participants; 3 events stop up to 11."
)


def test_a_boundary_that_is_taken_back_says_what_changed():
    body = lines(replace(A_BOUNDARY, retracted=True), UNDONE_DECISION, Reason.RETRACTED)
    assert body[0].startswith("Retracted: [BLINA-HSCT.S1] Boundary reached: review required")
    assert body[3] == CORRECTIONS


@pytest.mark.parametrize(
    ("participants", "expected"),
    [
        (("P-004",), "What changed: P-004 no longer counts. Now:"),
        ((), "What changed: the same events, dated or followed up otherwise. Now:"),
    ],
)
def test_what_changed_names_who_no_longer_counts(participants, expected):
    undone_decision = replace(REACHED_DECISION, undone=Reversal(3, 11.2, participants))
    body = lines(replace(A_BOUNDARY, retracted=True), undone_decision, Reason.RETRACTED)
    assert body[3].startswith(expected)


def test_a_boundary_that_was_reached_untold_and_no_longer_is():
    body = lines(A_BOUNDARY, UNDONE_DECISION)
    assert body[0].startswith("[BLINA-HSCT.S1] Boundary was reached, and no longer is   (alert")
    assert body[2:5] == [
        (
            "With what was known at 2026-09-01 07:00 UTC the boundary was reached;"
            " what undid it was known before anybody was told."
        ),
        CORRECTIONS,
        (
            "Then: 4 events at an effective 9.6 participants (11 treated, 2 pending);"
            " 3 events stop up to 11."
        ),
    ]
    assert not [line for line in body if "those pending" in line]
    assert body[5].startswith("Once it is reached: pause enrolment")


def test_a_boundary_at_upper_grades_alone_says_that_it_is_not_reached_as_counted():
    alert = alert_of("boundary_reached_at_upper_grades", grade=2)
    heading = "Boundary reached at upper grades, not as it is counted"
    body = lines(alert, LIKELY)
    assert body[0].startswith(f"[BLINA-HSCT.S1] {heading}   (alert")
    assert "Incomplete grades at their upper ends: 2 events, reached." in body
    lines_of_retraction = lines(replace(alert, retracted=True), LIKELY, Reason.RETRACTED)
    assert lines_of_retraction[0].startswith("No longer: ")
    assert lines_of_retraction[2] == f"It said: BLINA-HSCT.S1: {heading}, 2 events."


ALL_NOTICES = [
    (A_BOUNDARY, REACHED_DECISION),
    (alert_of("boundary_reached_at_upper_grades"), LIKELY),
    (alert_of("boundary_likely"), LIKELY),
    (AN_EPISODE, CRS),
    (alert_of("possible_episode", grade=1), POSSIBLE),
    (A_DEATH, DeathDetail("sepsis", 90, 14)),
    (_make_quarantine_alert(), FAILURE),
]


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize(("alert", "detail"), ALL_NOTICES)
def test_every_notice_names_alert_protocol_draft_and_what_it_is_not(alert, detail, reason):
    subject, *body = lines(alert, detail, reason)
    assert f"(alert {NAME}, protocol v1 DRAFT)" in subject
    assert body[-2:] == SIGNATURE
    assert body[-1] == "Trial safety oversight, not a bedside alarm."


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize(("alert", "detail"), ALL_NOTICES)
def test_no_notice_has_a_date_beside_the_data_cut(alert, detail, reason):
    text = "\n".join(lines(alert, detail, reason))
    without_cut = text.replace("Data to 2026-09-01 06:00 UTC.", "")
    assert re.findall(r"\d{4}-\d{2}-\d{2}|\d{1,2}[:/]\d{2}\b|\b2026\b", without_cut) == []


@pytest.mark.parametrize(
    ("because", "expected"),
    [
        ("regraded by Dr Anna Smith: seen on 2026-03-02", "a clinician regraded it"),
        ("assessed by Dr Anna Smith", "a clinician's own grade"),
    ],
)
def test_no_notice_names_who_graded(because, expected):
    grade = Span(Grade.SEVERE, Grade.SEVERE)
    content = replace(CRS, history=(Change(HOUR_ZERO, grade, because),))
    body = lines(replace(AN_EPISODE, suspected=False), content)
    assert f"Because: {expected}." in body
    assert "Smith" not in "\n".join(body)


def test_a_signed_protocol_is_named_by_its_version_and_its_signer_only_in_the_body():
    label = "protocol v2 signed by A. Lee (statistician)"
    subject, *body = lines(replace(A_BOUNDARY, protocol=label), REACHED_DECISION)
    assert subject.endswith(f"(alert {NAME}, protocol v2)")
    assert body[-2].endswith(f", {label}.")


@pytest.mark.parametrize(("alert", "detail"), ALL_NOTICES)
def test_the_html_of_a_mail_says_the_same_words(alert, detail):
    text = write_notice(replace(alert, detail=detail), Reason.FIRST, LINK)
    page = render_mail(text)
    words = re.sub(r"<title>.*?</title>|<style>.*?</style>|<[^>]+>", "", page)
    assert words.split() == [*text.subject.split(), *text.body.split()]
    assert page.count(f'<a href="{LINK}">{LINK}</a>') == 1


def test_markup_in_a_text_is_shown_not_followed():
    detail = DeathDetail("<script>alert(1)</script> & more", 1, 1)
    page = render_mail(write_notice(replace(A_DEATH, detail=detail), Reason.FIRST, LINK))
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page


def test_with_too_few_participants_to_stop_it_says_so():
    body = lines(alert_of("boundary_likely"), replace(LIKELY, ess=0.4))
    assert body[2].endswith("; too few participants to stop yet.")
