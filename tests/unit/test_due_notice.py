"""The notice that an alert needs: a row for every reason, and for every reason to be silent."""

from dataclasses import replace

import pytest

from services.alerts.domain.acknowledgements import Acknowledgement, list_missing_people
from services.alerts.domain.due_notice import (
    AlertHistory,
    BoardAnswer,
    DueNotice,
    Escalation,
    Reason,
    RecordedNotice,
    Snooze,
    find_due_notice,
    find_valid_acknowledgements,
)
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.vocabulary.alert import ClosingReason, Level
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


def make_recipients(each_acknowledges=("dsmb",), **roles):
    """Recipients by role: names between blanks, those in capitals by webhook."""
    return Recipients(
        {
            role: tuple(
                Recipient(
                    role, name, Channel.WEBHOOK if name.isupper() else Channel.EMAIL, f"{name}@x"
                )
                for name in names.split()
            )
            for role, names in roles.items()
        },
        frozenset(each_acknowledges),
    )


RECIPIENTS = make_recipients(safety="anna", investigator="ivo", dsmb="chair statistician")


def find_due(alert, notices, acknowledgements, hour, recipients=RECIPIENTS, **acts):
    history = AlertHistory(notices, acknowledgements, **acts)
    return find_due_notice(alert, history, recipients, hours(hour))


def make_notice(sent_hour, reason=Reason.FIRST, grade=3, role="safety", **fields):
    return RecordedNotice(hours(sent_hour), reason, grade, role, **fields)


def make_acknowledgement(acknowledged_hour, grade=3, person="anna"):
    return Acknowledgement(hours(acknowledged_hour), grade, person)


FIRST = make_notice(0)
ROSE = make_notice(5, Reason.GRADE_ROSE, 4)
LATE = [make_notice(24, Reason.NOT_ACKNOWLEDGED, role=role) for role in ("safety", "investigator")]
LATER = [
    make_notice(48, Reason.NOT_ACKNOWLEDGED, role=role)
    for role in ("safety", "investigator", "dsmb")
]
RETRACTED = make_notice(6, Reason.RETRACTED)
FIRING_NOTICE = make_notice(0, channel="alertmanager")
END_NOTICE = make_notice(6, Reason.ENDED, channel="alertmanager")
CLOSED_ALERT = replace(OPEN, closed=ClosingReason.NO_LONGER_SO)
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
    ("an Alertmanager has it fire", CLOSED_ALERT, [FIRST, FIRING_NOTICE], [], 7, "ended", "safety"),
    (
        "an Alertmanager has it end", OPEN, [FIRING_NOTICE, END_NOTICE], [], 7,
        "returned after retraction", "safety",
    ),
    ("retracted, and it fires", TAKEN_BACK, [FIRING_NOTICE], [], 7, "retracted", "safety"),
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
    ("over, and no Alertmanager has it fire", CLOSED_ALERT, [FIRST], [], 1000),
    ("over, and that is told", CLOSED_ALERT, [FIRST, FIRING_NOTICE, END_NOTICE], [], 1000),
    (
        "over before the Alertmanager was told",
        CLOSED_ALERT, [FIRST, make_notice(0, channel="alertmanager", is_withdrawn=True)], [], 1000,
    ),
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
    planned_notices = find_due(alert, notices, acknowledgements, hour)
    assert (planned_notices.reason, planned_notices.roles) == (reason, tuple(roles.split()))


@pytest.mark.parametrize(
    ("alert", "notices", "acknowledgements", "hour"),
    [row[1:] for row in SILENT],
    ids=[row[0] for row in SILENT],
)
def test_nothing_is_sent_when(alert, notices, acknowledgements, hour):
    assert find_due(alert, notices, acknowledgements, hour) is None


def test_every_reason_has_a_row():
    assert {row[5] for row in NEEDED_NOTICES} | {"escalated by a person"} == set(Reason)


def test_each_notice_of_an_alert_has_its_own_round_also_after_one_was_withdrawn():
    notices = []
    rounds = []
    for hour in range(4):
        planned_notices = find_due(OPEN, notices, [], hour)
        rounds.append(planned_notices.number)
        notices.append(make_notice(hour, is_withdrawn=True))
    assert rounds == [0, 1, 2, 3]


def test_two_roles_told_at_once_are_one_round():
    assert find_due(OPEN, [FIRST, *LATE], [], 48) == DueNotice(
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
    people = find_valid_acknowledgements(OPEN, AlertHistory(notices, acknowledgements))
    assert (people[-1].person if people else None) == readers


# Told at once: the desk, where one acknowledges for all, and the board, where each does
BOARD_ALERT = replace(OPEN, roles=("safety", "dsmb"), escalate_to=("investigator",))
WITH_DESK = make_recipients(
    safety="anna bert", investigator="ivo", dsmb="chair statistician ARCHIVE"
)

MISSING = [
    # who has acknowledged, who is reminded after a day, in which roles
    ("", "anna bert chair statistician ARCHIVE", "safety dsmb investigator"),
    ("anna", "chair statistician ARCHIVE", "dsmb investigator"),
    ("chair", "anna bert statistician ARCHIVE", "safety dsmb investigator"),
    ("chair bert", "statistician ARCHIVE", "dsmb investigator"),
    ("chair statistician", "anna bert", "safety investigator"),
    ("chair statistician ARCHIVE", "anna bert", "safety investigator"),
    ("anna chair statistician", "", ""),
    ("ivo", "chair statistician ARCHIVE", "dsmb investigator"),  # to whom the desk's was escalated
    ("somebody on duty", "chair statistician ARCHIVE", "dsmb investigator"),
]


@pytest.mark.parametrize(("people", "missing", "roles"), MISSING)
def test_each_of_the_board_acknowledges_for_themselves_and_one_for_a_desk(people, missing, roles):
    names = [people] if people.startswith("somebody") else people.split()
    acknowledgements = [make_acknowledgement(1, person=one) for one in names]
    assert list_missing_people(BOARD_ALERT, WITH_DESK, acknowledgements) == tuple(missing.split())
    due = find_due(BOARD_ALERT, [FIRST], acknowledgements, 24, WITH_DESK)
    assert (due.roles if due else ()) == tuple(roles.split())
    assert due is None or due.acknowledged_by == set(names)


def test_a_board_of_which_the_file_names_nobody_is_a_desk():
    desk_alone = make_recipients(safety="anna")
    assert (
        find_due(replace(OPEN, roles=("dsmb",)), [FIRST], [make_acknowledgement(1)], 24, desk_alone)
        is None
    )


SNOOZE = Snooze(hours(2), hours(30), 3)
STUDY_ALERT = replace(OPEN, level=Level.STUDY)


@pytest.mark.parametrize(
    ("alert", "notices", "snooze", "hour", "reason"),
    [
        (OPEN, [FIRST], SNOOZE, 24, None),
        (OPEN, [FIRST], SNOOZE, 29.99, None),
        (OPEN, [FIRST], SNOOZE, 30, "not acknowledged in time"),
        (OPEN, [FIRST], replace(SNOOZE, snoozed_at=hours(25)), 24, "not acknowledged in time"),
        (AT_FOUR, [FIRST], SNOOZE, 24, "grade rose"),
        (AT_FOUR, [FIRST, ROSE], SNOOZE, 29, "not acknowledged in time"),  # it was of grade 3
        (OPEN, [LOST_NOTICE], SNOOZE, 3, "could not be delivered"),
        (OPEN, [FIRST, RETRACTED, make_notice(7, Reason.HOLDS_AGAIN)], SNOOZE, 31,
         "not acknowledged in time"),
        (TAKEN_BACK, [FIRST], SNOOZE, 6, "retracted"),
        (STUDY_ALERT, [FIRST], SNOOZE, 24, "not acknowledged in time"),  # never at study level
    ],
)  # fmt: skip
def test_a_snooze_suspends_reminders_until_its_end_and_nothing_else(
    alert, notices, snooze, hour, reason
):
    due = find_due(alert, notices, [], hour, snoozes=[snooze])
    assert (due and due.reason) == reason


ESCALATION_NOTICE = make_notice(3, Reason.ESCALATION, role="dsmb")


@pytest.mark.parametrize(
    ("notices", "escalations", "hour", "reason", "roles"),
    [
        ([FIRST], [Escalation(hours(3), "dsmb")], 3, "escalated by a person", "dsmb"),
        ([FIRST, ESCALATION_NOTICE], [Escalation(hours(3), "dsmb")], 3, None, ""),
        ([FIRST, ESCALATION_NOTICE], [Escalation(hours(3), "dsmb")], 27,
         "not acknowledged in time", "safety investigator dsmb"),
        ([FIRST, ESCALATION_NOTICE], [Escalation(hours(4), "investigator")], 4,
         "escalated by a person", "investigator"),
        ([FIRST, RETRACTED, make_notice(7, Reason.HOLDS_AGAIN)], [Escalation(hours(3), "dsmb")], 8,
         None, ""),
    ],
)  # fmt: skip
def test_what_a_person_escalates_is_told_at_once_and_once(
    notices, escalations, hour, reason, roles
):
    due = find_due(OPEN, notices, [], hour, escalations=escalations)
    assert (due and due.reason) == reason
    assert (due.roles if due else ()) == tuple(roles.split())


def make_answer(answered_hour, events=3):
    return BoardAnswer(hours(answered_hour), events, "pause", "chair", "reviewed")


@pytest.mark.parametrize(
    ("alert", "notices", "answer", "hour", "reason"),
    [
        (STUDY_ALERT, [FIRST], make_answer(1), 1000, None),
        (STUDY_ALERT, [FIRST], make_answer(1, events=2), 24, "not acknowledged in time"),
        (replace(STUDY_ALERT, grade=4), [FIRST], make_answer(1), 2, "grade rose"),
        (replace(STUDY_ALERT, grade=4), [FIRST, ROSE], make_answer(1), 29,
         "not acknowledged in time"),
        (replace(STUDY_ALERT, grade=4), [FIRST, ROSE], make_answer(6, events=4), 1000, None),
        (replace(STUDY_ALERT, retracted=True), [FIRST], make_answer(1), 6, "retracted"),
    ],
)  # fmt: skip
def test_an_answer_of_the_board_ends_the_reminders_of_what_it_answered(
    alert, notices, answer, hour, reason
):
    due = find_due(alert, notices, [], hour, answers=[answer])
    assert (due and due.reason) == reason


def test_a_note_that_nobody_has_to_acknowledge_is_told_once():
    note = replace(OPEN, acknowledge_within_s=0)
    assert find_due(note, [], [], 0).reason is Reason.FIRST
    assert find_due(note, [FIRST], [], 1000) is None
