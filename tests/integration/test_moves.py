"""A move reaches both journals, says no number of a visit in clear, and waits when unclear."""

import json
from datetime import timedelta

import pytest

from services.ingest import parked_items
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.store.participant_order import find_families
from services.store.participants import Participant, add_participants
from services.vocabulary.clinical_fact import Movement
from services.vocabulary.identity_change import Move
from tests.helpers.hl7_messages import PID, message, obx
from tests.helpers.intake import (
    CLOCK_TIME,
    PEOPLE,
    feed_facts,
    list_parked,
    new_intake,
    people,
    submit,
)

THIRD_PERSON = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX3")
VISIT = "VN-4711"


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path, *PEOPLE, THIRD_PERSON)


def pv1(visit):
    return "PV1|1|I|WARD" + "|" * 16 + visit


def move(event, *, source="QX3", visit="", control_id="M9"):
    segments = (PID, f"MRG|{source}^^^NMRN^MR||||{visit}", pv1(visit))
    return message(f"EVN|{event}|20260301", *segments, kind=f"ADT^{event}", control_id=control_id)


def test_a_move_stands_in_both_journals_and_names_the_visit_as_the_results_do(intake):
    result = message(PID, pv1(VISIT), "OBR|1||O1", obx("0.49"), control_id="M1")
    assert submit(intake, result).facts == 1
    assert submit(intake, move("A45", visit=VISIT)).facts == 2
    (result, own_records), (other_records,) = feed_facts(intake), feed_facts(intake, "P-003")
    assert own_records.body == other_records.body == Move("P-003", "P-001", result.visit)
    assert len(result.visit) == 32
    assert VISIT not in repr((result, own_records, other_records))


def test_the_same_visit_number_at_another_site_is_another_visit(intake):
    for raw in (
        message(PID, pv1(VISIT), obx("0.49"), control_id="M1"),
        message(
            "PID|1||0815^^^PATNR^MR",
            pv1(VISIT),
            obx("0.49"),
            sender="ORBIS|RHEIN",
            control_id="M2",
        ),
    ):
        assert submit(intake, raw).facts == 1
    assert feed_facts(intake)[0].visit != feed_facts(intake, "P-002")[0].visit


def test_a_movement_says_no_number_of_a_visit_in_clear_and_is_still_cancelled(intake):
    for number, event in enumerate(("A01", "A11")):
        raw = message(f"EVN|{event}|202603010800", PID, pv1(VISIT), kind=f"ADT^{event}",
                      control_id=f"M{number}")  # fmt: skip
        assert submit(intake, raw).facts == 1
    admission, cancellation = feed_facts(intake)
    assert isinstance(admission.body, Movement)
    assert admission.series == cancellation.series
    assert VISIT not in repr(admission)


def test_an_identifier_moves_with_all_of_it(intake):
    assert submit(intake, move("A43")).facts == 2
    assert [one.body for one in feed_facts(intake)] == [Move("P-003", "P-001")]


UNCLEAR = {
    "to the same participant": (move("A43", source="QX4711"), "ambiguous-participant"),
    "from nobody of the study": (move("A43", source="QX9"), "unknown-participant"),
}


@pytest.mark.parametrize(("raw", "reason"), UNCLEAR.values(), ids=UNCLEAR)
def test_a_move_that_is_unclear_waits(intake, raw, reason):
    assert submit(intake, raw).facts == 0
    assert list_parked(intake) == [(reason, "MRG[1]")]


def merge_message(survivor, gone, event="A40"):
    last = f"PID|2||{gone}^^^NMRN^MR" if event == "A37" else f"MRG|{gone}^^^NMRN^MR"
    segments = (f"EVN|{event}|202603010800", f"PID|1||{survivor}^^^NMRN^MR", last)
    return message(*segments, kind=f"ADT^{event}", control_id=f"{event}{survivor}{gone}")


# survivor, gone and event; what the parked item says first and last
MISSING_NUMBERS = {
    "the one that remains": (
        ("QX9", "QX4711", "A40"), "the number in PID-3 is nobody's", "of the same participant",
    ),
    "the one that is gone": (
        ("QX4711", "QX9", "A40"), "the number in MRG-1 is nobody's", "of the same participant",
    ),
    "of an unlinked pair": (
        ("QX9", "QX4711", "A37"), "the number in the first PID-3 is", "of the same participant",
    ),
    "both": (("QX9", "QX8", "A40"), "1 item about nobody", "import the participant"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("names_and_event", "start", "end"), MISSING_NUMBERS.values(), ids=MISSING_NUMBERS
)
def test_a_merge_with_a_number_of_nobody_says_which_it_is_and_what_to_do(
    intake, names_and_event, start, end
):
    (item,) = submit(intake, merge_message(*names_and_event)).parked
    assert str(item.reason) == "unknown-participant"
    assert (item.detail[: len(start)], item.detail[-len(end) :]) == (start, end)


def test_a_merge_into_a_new_number_is_entered_once_that_is_imported(intake):
    submit(intake, merge_message("QX33", "QX3"))
    import_participants(intake, people(THIRD_PERSON.replace("QX3", "QX33")), "operator")
    parked_items.retry_parked(intake, "operator")
    assert list_parked(intake) == []


def test_of_a_participant_with_two_identifiers_one_cannot_move_but_a_visit_can(intake):
    second_import = import_participants(
        intake, people(THIRD_PERSON.replace("QX3", "QX33")), "operator"
    )
    assert second_import.wrong == ()
    assert submit(intake, move("A43")).facts == 0
    assert list_parked(intake) == [("ambiguous-participant", "MRG[1]")]
    assert submit(intake, move("A45", visit=VISIT, control_id="M10")).facts == 2


def test_a_person_takes_a_move_back_by_the_number_of_the_visit(intake):
    submit(intake, move("A45", visit=VISIT))
    later = (CLOCK_TIME - timedelta(hours=1)).isoformat()
    body = {"kind": "move", "source": "P-003", "target": "P-001", "visit": VISIT, "undone": True}
    lines = [
        json.dumps({"subject": who, "observed_at": later, "body": body})
        for who in ("P-001", "P-003")
    ]
    by_hand = Submission("\n".join(lines).encode(), "person", actor="lee", form="facts")
    (outcome,) = intake.accept([by_hand])
    assert (outcome.facts, outcome.parked) == (2, ())
    moved_facts, back = (one.body for one in feed_facts(intake, "P-003"))
    assert (moved_facts.visit, moved_facts.undone, back.undone) == (back.visit, False, True)


def by_hand(intake, body, subject):
    """The outcome of one merge or move that a person enters."""
    instant = (CLOCK_TIME - timedelta(hours=1)).isoformat()
    line = json.dumps({"subject": subject, "observed_at": instant, "body": body})
    return submit(intake, line.encode(), actor="lee", form="facts")


def linking_facts(kind, item, other_item):
    """The body of a merge or a move of *item* into *other_item*."""
    names = {"merge": ("gone", "survivor"), "move": ("source", "target")}[kind]
    return {"kind": kind, **dict(zip(names, (item, other_item), strict=True))}


NOT_JOINED = {
    "into nobody": ("P-001", "P-009", "unknown-participant"),
    "of nobody": ("P-009", "P-001", "unknown-participant"),
    "into the study": ("P-001", "TRIAL", "unknown-participant"),
    "of two others": ("P-002", "P-003", "ambiguous-participant"),
}


@pytest.mark.parametrize("kind", ["merge", "move"])
@pytest.mark.parametrize(("item", "other_item", "reason"), NOT_JOINED.values(), ids=NOT_JOINED)
def test_what_a_person_joins_without_two_participants_waits(intake, kind, item, other_item, reason):
    with intake.db.write() as conn:
        add_participants(conn, [Participant("TRIAL", "TRIAL", "")], CLOCK_TIME)
    assert by_hand(intake, linking_facts(kind, item, other_item), "P-001").facts == 0
    assert list_parked(intake) == [(reason, "line 1")]


@pytest.mark.parametrize("kind", ["merge", "move"])
def test_it_is_known_once_the_other_is_imported(intake, kind):
    by_hand(intake, linking_facts(kind, "P-001", "P-009"), "P-001")
    later = THIRD_PERSON.replace("P-003", "P-009").replace("QX3", "QX9")
    assert import_participants(intake, people(later), "operator").wrong == ()
    assert parked_items.retry_parked(intake, "operator").facts == 1
    with intake.db.read() as conn:
        assert find_families(conn, ["P-001"]) == [("P-001", "P-009")]
