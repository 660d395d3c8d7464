"""Fasting and rest of the participant, as far as a message states them."""

import pytest

from services.vocabulary.clinical_fact import Observation
from tests.helpers.hl7_messages import (
    OBR,
    PID,
    labs,
    message,
    obx,
    read_content,
    read_draft,
    read_parked,
)

GLUCOSE = obx("200", "mg/dL", code="2345-7^Glucose^LN")


def order(fasting_text):
    """OBR with OBR-13."""
    return f"{OBR}||||||{fasting_text}"


def status(fasting_text, code="49541-6^Fasting status^LN", kind="ST", flag="F"):
    return f"OBX|2|{kind}|{code}||{fasting_text}|||||||{flag}"


def fasting_of(*segments, measure="glucose"):
    """The fasting state of the message's only glucose."""
    drafts = read_content(message(PID, *segments)).drafts
    (draft,) = [one for one in drafts if one.body.measure == measure]
    return draft.body.fasting


IN_THE_ORDER = {
    "": None,
    "F": True,
    "F^Patient was fasting prior to the procedure.^HL70916": True,
    "fasting": True,
    "NF": False,
    "NF^The patient indicated they did not fast^HL70916": False,
    "Not fasting": False,
    "NG": None,
    "FNA^Fasting not asked^HL70916": None,
    "F^Female^L": None,
    "on steroids": None,
    "on steroids~F": True,
}


@pytest.mark.parametrize(
    ("fasting_text", "is_fasting"), IN_THE_ORDER.items(), ids=lambda text: str(text)[:9]
)
def test_the_order_says_whether_the_participant_was_fasting(fasting_text, is_fasting):
    assert fasting_of(order(fasting_text), GLUCOSE) is is_fasting


IN_A_RESULT = {
    "Y": True,
    "Yes^Yes^L": True,
    "LA33-6^Yes^LN": True,
    "N": False,
    "LA32-8^No^LN": False,
    "NG": None,
    "Unknown": None,
}


@pytest.mark.parametrize(("fasting_text", "is_fasting"), IN_A_RESULT.items())
@pytest.mark.parametrize("is_first", [True, False])
def test_a_result_of_the_same_order_says_it(fasting_text, is_fasting, is_first):
    segments = [status(fasting_text), GLUCOSE]
    assert fasting_of(OBR, *(segments if is_first else segments[::-1])) is is_fasting


def test_a_site_may_have_a_code_of_its_own_for_it():
    assert fasting_of(OBR, GLUCOSE, status("Y", "FAST^^L^49541-6^^LN")) is True


def test_what_is_said_twice_alike_is_said():
    assert fasting_of(order("F"), GLUCOSE, status("Y")) is True


def test_a_contradiction_says_nothing_and_leaves_a_note():
    drafts = read_content(message(PID, order("F"), GLUCOSE, status("N"))).drafts
    assert drafts[0].body.fasting is None
    assert drafts[0].notes[-1] == "whether the participant was fasting is said in two ways"


def test_what_one_order_says_is_not_said_of_the_next():
    (first, second) = read_content(message(PID, order("F"), GLUCOSE, OBR, GLUCOSE)).drafts
    assert (first.body.fasting, second.body.fasting) == (True, None)


def test_it_is_said_of_triglycerides_too_and_of_nothing_else():
    triglycerides = obx("200", "mg/dL", code="2571-8^^LN")
    potassium = obx("4.0", "mmol/L", code="2823-3^^LN")
    drafts = read_content(message(PID, order("F"), triglycerides, potassium)).drafts
    assert [one.body.fasting for one in drafts] == [True, None]


def test_a_status_that_was_taken_back_says_nothing():
    assert fasting_of(OBR, GLUCOSE, status("", flag="D")) is None


def test_a_status_in_other_words_is_parked():
    raw = message(PID, OBR, GLUCOSE, status("maybe"))
    assert read_parked(raw) == [("OBX[2].5", "unreadable-value")]
    assert read_content(raw).drafts[0].body.fasting is None


def test_a_saturation_at_rest_has_a_code_of_its_own():
    saturations = [obx("86", "%", code=f"{code}^^LN") for code in ("59417-6", "59408-5")]
    bodies = [one.body for one in read_content(labs(*saturations)).drafts]
    assert [(body.measure, body.at_rest) for body in bodies] == [("spo2", True), ("spo2", None)]
    local = read_draft(obx("86", "%", code="RESTING^^L^59417-6^^LN")).body
    assert isinstance(local, Observation)
    assert local.at_rest is True
