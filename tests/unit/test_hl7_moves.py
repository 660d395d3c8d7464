"""A visit, or all that stands under an identifier, belongs to another patient: A45 and A43."""

import pytest

from tests.helpers.hl7_messages import PID, labs, message, obx, read_content, read_parked

EVENT = "EVN|A45|20260301080000||||20260228230000"


def mrg(visit="", prior_patient="0815^^^NMRN^MR"):
    return f"MRG|{prior_patient}||||{visit}"


def pv1(visit=""):
    return "PV1|1|I|WARD" + "|" * 16 + visit


def adt(event, *segments):
    return message(EVENT, *segments, kind=f"ADT^{event}")


def read_moves(raw):
    """Each move: from whose identifier to whose, which visit, and as what."""
    content = read_content(raw)
    assert (content.parked, content.merges, content.drafts) == ((), (), ())
    return [
        (one.source[0].identifier, one.target[0].identifier, one.visit, one.new_visit)
        for one in content.moves
    ]


VISITS = {
    "its number stays": ((mrg("V7"), pv1("V7")), ("V7", "")),
    "it has another number now": ((mrg("V7^^^NMRN"), pv1("V9^^^NMRN")), ("V7", "V9")),
    "only the old number": ((mrg("V7"),), ("V7", "")),
    "only the number now": ((mrg(), pv1("V7")), ("V7", "")),
}


@pytest.mark.parametrize(("segments", "numbers"), VISITS.values(), ids=VISITS)
def test_a_visit_moves_from_the_patient_in_mrg_to_the_one_in_pid(segments, numbers):
    assert read_moves(adt("A45", PID, *segments)) == [("0815", "QX4711", *numbers)]


def test_several_visits_move_in_one_message():
    raw = adt("A45", PID, mrg("V7"), pv1("V7"), mrg("V8"), mrg("V9"), pv1("V9"))
    assert [visit for _, _, visit, _ in read_moves(raw)] == ["V7", "V8", "V9"]


def test_an_identifier_moves_with_all_that_stands_under_it():
    assert read_moves(adt("A43", PID, mrg())) == [("0815", "QX4711", "", "")]


def test_several_patients_move_in_one_message():
    raw = adt("A43", PID, mrg(), PID.replace("QX4711", "QX1"), mrg(prior_patient="QX2^^^NMRN^MR"))
    assert [(source, target) for source, target, *_ in read_moves(raw)] == [
        ("0815", "QX4711"),
        ("QX2", "QX1"),
    ]


def test_a_move_is_dated_by_its_event():
    (move,) = read_content(adt("A43", PID, mrg())).moves
    assert f"{move.observed_at:%Y-%m-%d %H:%M}" == "2026-03-01 04:00"


PARKED_MESSAGES = {
    "no number of the visit": (("A45", PID, mrg(), pv1()), ("MRG[1].5", "unreadable-value")),
    "no patient it moves from": (("A45", PID), ("MRG", "no-participant")),
    "no patient it moves to": (("A45", mrg("V7"), pv1("V7")), ("MRG[1]", "no-participant")),
    "an authority that nobody named": (
        ("A43", PID, mrg(prior_patient="0815^^^OTHER^MR")),
        ("MRG[1]", "no-participant"),
    ),
}


@pytest.mark.parametrize(("parts", "expected"), PARKED_MESSAGES.values(), ids=PARKED_MESSAGES)
def test_a_move_of_nothing_known_is_parked(parts, expected):
    raw = adt(*parts)
    assert (read_parked(raw), read_content(raw).moves) == ([expected], ())
    assert "0815" not in read_content(raw).parked[0].detail


def test_a_result_says_of_which_visit_it_is():
    (draft,) = read_content(message(PID, pv1("V7^^^NMRN"), "OBR|1||ORD1", obx("0.49"))).drafts
    assert draft.visit == "V7"


@pytest.mark.parametrize("raw", [labs(obx("0.49")), message(PID, pv1('""'), obx("0.49"))])
def test_a_result_need_not_say_of_which_visit_it_is(raw):
    assert [draft.visit for draft in read_content(raw).drafts] == [""]


def test_the_visit_of_one_patient_is_not_the_next_ones():
    other_pid = PID.replace("QX4711", "QX2")
    raw = message(PID, pv1("V7"), obx("0.49"), other_pid, obx("0.51"))
    assert [draft.visit for draft in read_content(raw).drafts] == ["V7", ""]


def test_a_drug_says_of_which_visit_it_was_given():
    rxa = "RXA|0|1|20260301080000|20260301080000|dexamethasone^dexamethasone^L|20|mg"
    other_pid = PID.replace("QX4711", "QX2")
    raw = message(PID, pv1("V7"), "ORC|RE", rxa, other_pid, "ORC|RE", rxa, kind="RAS^O17")
    assert [draft.visit for draft in read_content(raw).drafts] == ["V7", ""]
