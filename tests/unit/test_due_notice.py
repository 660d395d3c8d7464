"""The notice that an alert needs: a row for every reason, and for every reason to be silent."""

from dataclasses import replace

import pytest

from services.alerts.domain.due_notice import (
    Acknowledgement,
    DueNotice,
    Reason,
    RecordedNotice,
    find_acknowledgement,
    find_due_notice,
)
from services.vocabulary.alert import ClosingReason
from tests.helpers.fact_notes import hours
from tests.helpers.store import ALERT

# Told at once: safety; to be acknowledged within 24 h, then the investigator, then the DSMB
OPEN = replace(
    ALERT,
    grade=3,
    roles=("safety",),
    escalate_to=("investigator", "dsmb"),
    acknowledge_within_s=24 * 3600,
)
AT_FOUR = replace(OPEN, grade=4)
AT_TWO = replace(OPEN, grade=2)
TAKEN_BACK = replace(OPEN, retracted=True)
ANSWERED_ALERT = replace(OPEN, closed=ClosingReason.DSMB_ANSWER)


def make_notice(sent_hour, reason=Reason.FIRST, grade=3, role="safety", **fields):
    return RecordedNotice(hours(sent_hour), reason, grade, role, **fields)


def make_acknowledgement(acknowledged_hour, grade=3):
    return Acknowledgement(hours(acknowledged_hour), grade, "anna")


FIRST = make_notice(0)
ROSE = make_notice(5, Reason.GRADE_ROSE, 4)
LATE = [make_notice(24, Reason.NOT_ACKNOWLEDGED, role=role) for role in ("safety", "investigator")]
LATER = [
    make_notice(48, Reason.NOT_ACKNOWLEDGED, role=role)
    for role in ("safety", "investigator", "dsmb")
]
RETRACTED = make_notice(6, Reason.RETRACTED)
LOST_NOTICE = make_notice(0, is_failing=True)
PAGES = [make_notice(1, Reason.NOT_DELIVERED, role=role) for role in ("investigator", "operator")]
PAGED_IN_VAIN = [
    make_notice(1, Reason.NOT_DELIVERED, role="investigator", is_failing=True),
    make_notice(1, Reason.NOT_DELIVERED, role="operator"),
]

NEEDED_NOTICES = [
    # why, the alert, told before, acknowledged, now (h), reason, roles
    ("nobody knows", OPEN, [], [], 0, "first", "safety"),
    ("it is worse than anybody was told", AT_FOUR, [FIRST], [], 1, "grade rose", "safety"),
    (
        "it is worse than what was acknowledged",
        AT_FOUR, [FIRST], [make_acknowledgement(1)], 2, "grade rose", "safety",
    ),
    (
        "a rise is told to everybody who was told before",
        AT_FOUR, [FIRST, *LATE], [], 25, "grade rose", "safety investigator",
    ),
    (
        "nobody has acknowledged in time: the next role too",
        OPEN, [FIRST], [], 24, "not acknowledged in time", "safety investigator",
    ),
    (
        "still nobody: the role after that",
        OPEN, [FIRST, *LATE], [], 48, "not acknowledged in time", "safety investigator dsmb",
    ),
    (
        "there is no further role: everybody again",
        OPEN, [FIRST, *LATE, *LATER], [], 72,
        "not acknowledged in time", "safety investigator dsmb",
    ),
    (
        "a rise begins a new time limit",
        AT_FOUR, [FIRST, ROSE], [], 29, "not acknowledged in time", "safety investigator",
    ),
    (
        "acknowledged before it rose, not since",
        AT_FOUR, [FIRST, ROSE], [make_acknowledgement(1)], 29,
        "not acknowledged in time", "safety investigator",
    ),
    ("the facts were corrected", TAKEN_BACK, [FIRST], [], 6, "retracted", "safety"),
    (
        "acknowledging does not spare anybody the retraction",
        TAKEN_BACK, [FIRST], [make_acknowledgement(1)], 6, "retracted", "safety",
    ),
    (
        "the retraction goes to whoever was told on the way",
        TAKEN_BACK, [FIRST, *LATE], [], 25, "retracted", "safety investigator",
    ),
    (
        "it is so again",
        OPEN, [FIRST, RETRACTED], [], 7, "returned after retraction", "safety",
    ),
    (
        "it is so again, and everybody who was told that it is not is told",
        OPEN, [FIRST, *LATE, make_notice(26, Reason.RETRACTED)], [], 27,
        "returned after retraction", "safety investigator",
    ),
    (
        "acknowledged before the retraction, not since it returned",
        OPEN, [FIRST, RETRACTED, make_notice(7, Reason.HOLDS_AGAIN)], [make_acknowledgement(1)], 31,
        "not acknowledged in time", "safety investigator",
    ),
    (
        "taken back a second time",
        TAKEN_BACK, [FIRST, RETRACTED, make_notice(7, Reason.HOLDS_AGAIN)], [], 8,
        "retracted", "safety",
    ),
    (
        "a channel has refused it: the next role, and operations",
        OPEN, [LOST_NOTICE], [], 1, "could not be delivered", "investigator operator",
    ),
    (
        "somebody else acknowledged, and yet one who had to know does not",
        OPEN, [FIRST, LOST_NOTICE], [make_acknowledgement(1)], 1,
        "could not be delivered", "investigator operator",
    ),
    (
        "the next role is not reached either: the one after that",
        OPEN, [LOST_NOTICE, *PAGED_IN_VAIN], [], 2, "could not be delivered", "dsmb",
    ),
    (
        "what was withdrawn unsent was never told",
        OPEN, [make_notice(0, is_withdrawn=True)], [], 1, "first", "safety",
    ),
]  # fmt: skip

SILENT = [
    # why, the alert, told before, acknowledged, now (h)
    ("already sent, and there is time", OPEN, [FIRST], [], 23.9),
    ("acknowledged", OPEN, [FIRST], [make_acknowledgement(1)], 1000),
    ("acknowledged after it rose", AT_FOUR, [FIRST, ROSE], [make_acknowledgement(6, 4)], 1000),
    ("acknowledged after the reminder", OPEN, [FIRST, *LATE], [make_acknowledgement(25)], 1000),
    ("the grade fell: an update in the next notice", AT_TWO, [FIRST], [], 23),
    ("the grade fell after it was acknowledged", AT_TWO, [FIRST], [make_acknowledgement(1)], 1000),
    ("corrected before anybody was told", TAKEN_BACK, [], [], 1),
    (
        "corrected before the first notice left",
        TAKEN_BACK, [make_notice(0, is_withdrawn=True)], [], 1,
    ),
    ("retracted, and everybody knows", TAKEN_BACK, [FIRST, RETRACTED], [], 1000),
    ("answered by the DSMB", ANSWERED_ALERT, [FIRST], [], 1000),
    ("answered by the DSMB before the rest was told", ANSWERED_ALERT, [], [], 1000),
    ("somebody else was told instead", OPEN, [LOST_NOTICE, *PAGES], [], 2),
    (
        "there is nobody left to be told instead",
        replace(OPEN, escalate_to=("investigator",)), [LOST_NOTICE, *PAGED_IN_VAIN], [], 2,
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", NEEDED_NOTICES, ids=[row[0] for row in NEEDED_NOTICES])
def test_a_notice_is_needed_when(row):
    _, alert, notices, acknowledgements, hour, reason, roles = row
    planned_notices = find_due_notice(alert, notices, acknowledgements, hours(hour))
    assert (planned_notices.reason, planned_notices.roles) == (reason, tuple(roles.split()))


@pytest.mark.parametrize(
    ("alert", "notices", "acknowledgements", "hour"),
    [row[1:] for row in SILENT],
    ids=[row[0] for row in SILENT],
)
def test_nothing_is_sent_when(alert, notices, acknowledgements, hour):
    assert find_due_notice(alert, notices, acknowledgements, hours(hour)) is None


def test_every_reason_has_a_row():
    assert {row[5] for row in NEEDED_NOTICES} == set(Reason)


def test_each_notice_of_an_alert_has_its_own_round_also_after_one_was_withdrawn():
    notices = []
    rounds = []
    for hour in range(4):
        planned_notices = find_due_notice(OPEN, notices, [], hours(hour))
        rounds.append(planned_notices.number)
        notices.append(make_notice(hour, is_withdrawn=True))
    assert rounds == [0, 1, 2, 3]


def test_two_roles_told_at_once_are_one_round():
    assert find_due_notice(OPEN, [FIRST, *LATE], [], hours(48)) == DueNotice(
        Reason.NOT_ACKNOWLEDGED, ("safety", "investigator", "dsmb"), 2
    )


@pytest.mark.parametrize(
    ("notices", "acknowledgements", "readers"),
    [
        ([FIRST], [], None),
        ([FIRST], [make_acknowledgement(1, 2)], None),
        ([FIRST], [make_acknowledgement(1)], "anna"),
        ([FIRST, RETRACTED, make_notice(7, Reason.HOLDS_AGAIN)], [make_acknowledgement(1)], None),
        ([FIRST, RETRACTED, make_notice(7, Reason.HOLDS_AGAIN)], [make_acknowledgement(8)], "anna"),
        ([], [make_acknowledgement(1)], "anna"),
    ],
)
def test_who_saw_the_alert_as_it_stands(notices, acknowledgements, readers):
    people = find_acknowledgement(OPEN, notices, acknowledgements)
    assert (people and people.person) == readers
