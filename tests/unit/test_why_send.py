"""Which notice an alert needs: a row for every reason, and for every reason to be silent."""

from dataclasses import replace

import pytest

from services.alerts.domain.why_send import Notice, Reason, Seen, Told, who_saw, why_send
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
ANSWERED = replace(OPEN, closed=ClosingReason.DSMB_ANSWER)


def told(at, reason=Reason.FIRST, grade=3, role="safety", **more):
    return Told(hours(at), reason, grade, role, **more)


def seen(at, grade=3):
    return Seen(hours(at), grade, "anna")


FIRST = told(0)
ROSE = told(5, Reason.GRADE_ROSE, 4)
LATE = [told(24, Reason.NOT_ACKNOWLEDGED, role=role) for role in ("safety", "investigator")]
LATER = [
    told(48, Reason.NOT_ACKNOWLEDGED, role=role) for role in ("safety", "investigator", "dsmb")
]
RETRACTED = told(6, Reason.RETRACTED)
LOST = told(0, failing=True)
PAGED = [told(1, Reason.NOT_DELIVERED, role=role) for role in ("investigator", "operator")]
PAGED_IN_VAIN = [
    told(1, Reason.NOT_DELIVERED, role="investigator", failing=True),
    told(1, Reason.NOT_DELIVERED, role="operator"),
]

NEEDED = [
    # why, the alert, told before, acknowledged, now (h), reason, roles
    ("nobody knows", OPEN, [], [], 0, "first", "safety"),
    ("it is worse than anybody was told", AT_FOUR, [FIRST], [], 1, "grade rose", "safety"),
    (
        "it is worse than what was acknowledged",
        AT_FOUR, [FIRST], [seen(1)], 2, "grade rose", "safety",
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
        AT_FOUR, [FIRST, ROSE], [seen(1)], 29, "not acknowledged in time", "safety investigator",
    ),
    ("the facts were corrected", TAKEN_BACK, [FIRST], [], 6, "retracted", "safety"),
    (
        "acknowledging does not spare anybody the retraction",
        TAKEN_BACK, [FIRST], [seen(1)], 6, "retracted", "safety",
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
        OPEN, [FIRST, *LATE, told(26, Reason.RETRACTED)], [], 27,
        "returned after retraction", "safety investigator",
    ),
    (
        "acknowledged before the retraction, not since it returned",
        OPEN, [FIRST, RETRACTED, told(7, Reason.RETURNED)], [seen(1)], 31,
        "not acknowledged in time", "safety investigator",
    ),
    (
        "taken back a second time",
        TAKEN_BACK, [FIRST, RETRACTED, told(7, Reason.RETURNED)], [], 8, "retracted", "safety",
    ),
    (
        "a channel has refused it: the next role, and operations",
        OPEN, [LOST], [], 1, "could not be delivered", "investigator operator",
    ),
    (
        "somebody else acknowledged, and yet one who had to know does not",
        OPEN, [FIRST, LOST], [seen(1)], 1, "could not be delivered", "investigator operator",
    ),
    (
        "the next role is not reached either: the one after that",
        OPEN, [LOST, *PAGED_IN_VAIN], [], 2, "could not be delivered", "dsmb",
    ),
    (
        "what was withdrawn unsent was never told",
        OPEN, [told(0, withdrawn=True)], [], 1, "first", "safety",
    ),
]  # fmt: skip

SILENT = [
    # why, the alert, told before, acknowledged, now (h)
    ("already sent, and there is time", OPEN, [FIRST], [], 23.9),
    ("acknowledged", OPEN, [FIRST], [seen(1)], 1000),
    ("acknowledged after it rose", AT_FOUR, [FIRST, ROSE], [seen(6, 4)], 1000),
    ("acknowledged after the reminder", OPEN, [FIRST, *LATE], [seen(25)], 1000),
    ("the grade fell: an update in the next notice", AT_TWO, [FIRST], [], 23),
    ("the grade fell after it was acknowledged", AT_TWO, [FIRST], [seen(1)], 1000),
    ("corrected before anybody was told", TAKEN_BACK, [], [], 1),
    (
        "corrected before the first notice left",
        TAKEN_BACK, [told(0, withdrawn=True)], [], 1,
    ),
    ("retracted, and everybody knows", TAKEN_BACK, [FIRST, RETRACTED], [], 1000),
    ("answered by the DSMB", ANSWERED, [FIRST], [], 1000),
    ("answered by the DSMB before the rest was told", ANSWERED, [], [], 1000),
    ("somebody else was told instead", OPEN, [LOST, *PAGED], [], 2),
    (
        "there is nobody left to be told instead",
        replace(OPEN, escalate_to=("investigator",)), [LOST, *PAGED_IN_VAIN], [], 2,
    ),
]  # fmt: skip


@pytest.mark.parametrize("row", NEEDED, ids=[row[0] for row in NEEDED])
def test_a_notice_is_needed_when(row):
    _, alert, before, acknowledged, at, reason, roles = row
    needed = why_send(alert, before, acknowledged, hours(at))
    assert (needed.reason, needed.roles) == (reason, tuple(roles.split()))


@pytest.mark.parametrize(
    ("alert", "before", "acknowledged", "at"),
    [row[1:] for row in SILENT],
    ids=[row[0] for row in SILENT],
)
def test_nothing_is_sent_when(alert, before, acknowledged, at):
    assert why_send(alert, before, acknowledged, hours(at)) is None


def test_every_reason_has_a_row():
    assert {row[5] for row in NEEDED} == set(Reason)


def test_each_notice_of_an_alert_has_its_own_round_also_after_one_was_withdrawn():
    before = []
    rounds = []
    for at in range(4):
        needed = why_send(OPEN, before, [], hours(at))
        rounds.append(needed.round)
        before.append(told(at, withdrawn=True))
    assert rounds == [0, 1, 2, 3]


def test_two_roles_told_at_once_are_one_round():
    assert why_send(OPEN, [FIRST, *LATE], [], hours(48)) == Notice(
        Reason.NOT_ACKNOWLEDGED, ("safety", "investigator", "dsmb"), 2
    )


@pytest.mark.parametrize(
    ("before", "acknowledged", "by"),
    [
        ([FIRST], [], None),
        ([FIRST], [seen(1, 2)], None),
        ([FIRST], [seen(1)], "anna"),
        ([FIRST, RETRACTED, told(7, Reason.RETURNED)], [seen(1)], None),
        ([FIRST, RETRACTED, told(7, Reason.RETURNED)], [seen(8)], "anna"),
        ([], [seen(1)], "anna"),
    ],
)
def test_who_saw_the_alert_as_it_stands(before, acknowledged, by):
    found = who_saw(OPEN, before, acknowledged)
    assert (found and found.by) == by
