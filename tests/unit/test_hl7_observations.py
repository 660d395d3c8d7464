"""Results of a message: value, status, and what has to wait."""

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Status
from tests.helpers.fact_notes import quantity
from tests.helpers.hl7_messages import (
    NEUTROPHILS,
    OBR,
    PID,
    labs,
    message,
    obx,
    read_content,
    read_draft,
    read_parked,
)
from tests.helpers.lab_reading import TABLES

CODES = [
    ("751-8^Neutrophils^LN", "neutrophils"),
    ("NEUT_ABS^Neutrophils^99LAB", "neutrophils"),
    ("NEUT_ABS", "neutrophils"),
    ("NEUT_ABS^^L^751-8^^LN", "neutrophils"),
    ("UNKNOWN^^L^751-8^^LN", "neutrophils"),
    ("8310-5^Body temperature^LN", "temperature"),
    ("AEGIS-ICE^ICE score^AEGIS", "ice"),
    ("751-8^Neutrophils^LOINC", "neutrophils"),
    ("768-2^Segmented neutrophils^LN", "neutrophils"),  # as the site has mapped it
    ("2708-6^Oxygen saturation^LN", "spo2"),
    ("59408-5^^LN", "spo2"),
    ("59410-1^^LN", "spo2"),
    ("150456^MDC_PULS_OXIM_SAT_O2^MDC", "spo2"),
    ("150017^MDC_PRESS_BLD_SYS^MDC", "sbp"),
    ("150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "sbp"),
    ("150037^MDC_PRESS_BLD_ART_ABP_SYS^MDC", "sbp"),
    ("150022^^MDC", "dbp"),
    ("150344^MDC_TEMP^MDC", "temperature"),
    ("MDC_TEMP_BODY^^MDC", "temperature"),
    ("^MDC_TEMP_CORE^MDC", "temperature"),
    ("147842^MDC_ECG_HEART_RATE^MDC^8867-4^Heart rate^LN", "heart-rate"),
]


@pytest.mark.parametrize(("code", "measure"), CODES)
def test_a_measure_is_known_by_either_of_its_codes(code, measure):
    assert read_draft(obx("7", "", code=code)).body.measure == measure


# LOINC code, unit, and what is measured
GRADED_RESULTS = [
    ("39156-5", "kg/m2", "bmi"),
    ("711-2", "10*9/L", "eosinophils"),
    ("2085-9", "mg/dL", "hdl"),
    ("13457-7", "mg/dL", "ldl"),
    ("18262-6", "mg/dL", "ldl"),
    ("2614-6", "%", "methemoglobin"),
    ("2616-1", "%", "methemoglobin"),
    ("62292-8", "ng/mL", "vitamin-d"),
    ("14646-4", "mmol/L", "hdl"),
    ("22748-8", "mmol/L", "ldl"),
    ("12180-6", "mmol/L", "calcium-ionized"),
    ("62238-1", "mL/min/{1.73_m2}", "egfr"),
    ("15074-8", "mmol/L", "glucose"),
    ("778-1", "10*9/L", "platelets"),
    ("804-5", "10*9/L", "leukocytes"),
]


@pytest.mark.parametrize(("code", "unit", "measure"), GRADED_RESULTS)
def test_what_feeds_send_is_what_a_criterion_reads(code, unit, measure):
    body = read_draft(obx("7", unit, code=f"{code}^^LN")).body
    assert (body.measure, body.value) == (measure, quantity("7", unit))
    assert any(measure in table.compiled.by_measure for table in TABLES.values())


@pytest.mark.parametrize("code", load_code_tables().loinc)
def test_a_loinc_code_has_its_check_digit(code):
    digits, check_digit = code.split("-")
    doubled_digits = str(2 * int(digits[::-1][::2][::-1]))  # every other digit, from the last
    total = sum(map(int, digits[::-1][1::2] + doubled_digits))
    assert -total % 10 == int(check_digit)


@pytest.mark.parametrize(
    "code",
    ["99999-9^New^LN", "751-8", "GLU^^L", "AEGIS-MOOD^^AEGIS", "150388^MDC_TEMP_SKIN^MDC", ""],
)
def test_an_unknown_code_is_parked_with_what_to_do_and_the_others_go_on(code):
    content = read_content(labs(obx("1", code=code), obx("0.49")))
    (item,) = content.parked
    assert (item.path, str(item.reason)) == ("OBX[1].3", "unknown-code")
    assert "sites.yaml" in item.detail
    assert [draft.body.measure for draft in content.drafts] == ["neutrophils"]


WORDS = [
    ("oxygen-device", "HFNC^High flow NC", "high-flow-cannula"),
    ("oxygen-device", "X17^high flow nc", "high-flow-cannula"),
    ("oxygen-device", "O2NC", "nasal-cannula"),
    ("seizure", "brief", "brief"),
]


@pytest.mark.parametrize(("measure", "result_text", "word"), WORDS)
def test_words_are_those_of_the_site_or_those_that_everybody_uses(measure, result_text, word):
    code = f"AEGIS-{measure.upper()}^^AEGIS"
    assert read_draft(obx(result_text, "", kind="CWE", code=code)).body == Observation(
        measure, text=word
    )


def test_a_word_that_is_unknown_is_parked():
    raw = labs(obx("snorkel", "", kind="CWE", code="AEGIS-OXYGEN-DEVICE^^AEGIS"))
    (item,) = read_content(raw).parked
    assert (item.path, str(item.reason)) == ("OBX[1].5", "unreadable-value")
    assert "it is one of bipap, blow-by, cpap" in item.detail


@pytest.mark.parametrize(
    "status", ["F", "V", "P", "I", "S", "R", "C", "A", "B", "D", "W", "U", "X"]
)
def test_the_status_says_how_far_a_result_can_be_relied_upon(status):
    draft = read_draft(obx("0.49", status=status))
    assert (draft.status, draft.body.value) == (Status(status), quantity("0.49", "10*3/uL"))


@pytest.mark.parametrize("status", ["F", "V", "U", "C", "A", "B"])
def test_a_verified_result_is_as_final_as_a_final_one(status):
    assert Status(status).is_final


def test_no_status_is_final():
    assert read_draft(obx("0.49", status="")).status is Status.FINAL


@pytest.mark.parametrize("status", ["N", "O"])
def test_what_was_not_asked_for_says_nothing(status):
    content = read_content(labs(obx("", status=status), obx("0.49")))
    assert [draft.path for draft in content.drafts] == ["OBX[2]"]
    assert content.parked == ()


@pytest.mark.parametrize("status", ["N", "O", "Z", "f"])
def test_a_status_that_says_nothing_of_a_result_is_parked(status):
    assert read_parked(labs(obx("0.49", status=status))) == [("OBX[1].11", "unreadable-value")]


@pytest.mark.parametrize("status", ["D", "W", "X"])
@pytest.mark.parametrize(
    ("value", "unit"),
    [("", "10*3/uL"), ('""', ""), ("HEMOLYZED", "10*3/uL"), ("see note", ""), ("1", "furlongs")],
)
def test_a_result_is_taken_back_whatever_stands_in_its_place(status, value, unit):
    draft = read_draft(obx(value, unit, kind="ST", status=status))
    assert (draft.status, draft.body) == (Status(status), Observation("neutrophils"))


@pytest.mark.parametrize("status", ["C", "A"])
def test_a_correction_that_cannot_be_read_waits_and_what_it_corrects_no_longer_stands(status):
    content = read_content(labs(obx("HEMOLYZED", kind="ST", status=status)))
    assert [item.reason for item in content.parked] == ["unreadable-value"]
    assert [draft.body for draft in content.drafts] == [Observation("neutrophils")]


def test_a_correction_in_an_unknown_unit_waits_until_the_unit_is_known():
    content = read_content(labs(obx("1", "furlongs", status="C")))
    assert ([item.reason for item in content.parked], content.drafts) == (["unknown-unit"], ())


@pytest.mark.parametrize("status", ["P", "I", "U"])
def test_no_value_yet(status):
    expected = [] if status in "IU" else [("OBX[1].5", "unreadable-value")]
    assert read_parked(labs(obx("", status=status))) == expected


@pytest.mark.parametrize("status", ["F", "C", "P"])
@pytest.mark.parametrize("value", ["HEMOLYZED", "", '""', "^1^:^128"])
def test_a_value_that_is_no_number_is_parked(status, value):
    raw = labs(obx(value, kind="SN" if ":" in value else "ST", status=status))
    assert read_parked(raw) == [("OBX[1].5", "unreadable-value")]


def test_what_is_parked_does_not_repeat_the_value():
    (item,) = read_content(labs(obx("JANE DOE", kind="ST"))).parked
    assert "DOE" not in item.detail


def series(raw):
    return [draft.series for draft in read_content(raw).drafts]


def test_a_correction_has_the_key_of_what_it_corrects():
    first = labs(obx("0.49"), control_id="1")
    correction = labs(obx("4.9", status="C"), control_id="2", sent_at="20260301100000-0500")
    assert series(first) == series(correction)


@pytest.mark.parametrize(
    "other_message",
    [
        labs(obx("7", code="777-3^^LN")),
        message(PID, OBR.replace("ORD1", "ORD2"), obx("0.49")),
        labs(obx("0.49").replace("LN||", "LN|2|")),
    ],
    ids=["another code", "another order", "another sub-id"],
)
def test_another_result_has_another_key(other_message):
    assert series(labs(obx("0.49"))) != series(other_message)


def numbered(number, value, code=NEUTROPHILS, **fields):
    """OBX of one result, with its number in the report."""
    return obx(value, code=code, **fields).replace("OBX|1|", f"OBX|{number}|")


# results of one report; code and number by which each is known to later reports
KEYS = {
    "as sent": ([numbered(3, "1")], ["751-8/3"]),
    "two codes of one measure": (
        [numbered(1, "1"), numbered(2, "2", "NEUT_ABS^^L")], ["751-8/1", "NEUT_ABS/2"],
    ),
    "the local code comes first": ([numbered(1, "1", "NEUT_ABS^^L^751-8^^LN")], ["NEUT_ABS/1"]),
    "a code by its text": (
        [numbered(1, "36.5", "^MDC_TEMP_CORE^MDC", unit="Cel")], ["MDC_TEMP_CORE/1"],
    ),
    "an alternate code alone": ([numbered(1, "1", "^^^751-8^^LN")], ["751-8/1"]),
    "one number twice": ([numbered(1, "1"), numbered(1, "2")], ["751-8/1", "751-8/1.2"]),
    "one number twice, of two codes": (
        [numbered(1, "1"), numbered(1, "2", "NEUT_ABS^^L")], ["751-8/1", "NEUT_ABS/1"],
    ),
    "one number twice, of two times": (
        [
            numbered(1, "1", observed_at="202603010600"),
            numbered(1, "2", observed_at="202603010700"),
        ],
        ["751-8/1", "751-8/1"],
    ),
    "no numbers": ([numbered("", "1"), numbered("", "2")], ["751-8/-", "751-8/-.2"]),
    "what waits is counted": (
        [numbered(1, "HEMOLYZED", kind="ST"), numbered(1, "2")], ["751-8/1.2"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("results", "keys"), KEYS.values(), ids=KEYS)
def test_a_result_is_known_by_its_code_and_its_number_in_the_report(results, keys):
    drafts = read_content(labs(*results)).drafts
    assert [f"{one.result_key.code}/{one.result_key.number}" for one in drafts] == keys


# OBX-14, OBR-7, OBR-22; the local time by which a later report of the result is known
LOCAL_TIMES = {
    "with an offset": ("20260301060000-0500", "", "", "20260301060000"),
    "without": ("20260301060000", "", "", "20260301060000"),
    "to the minute": ("202603010600", "", "", "20260301060000"),
    "a fraction of nothing": ("20260301060000.000-0500", "", "", "20260301060000"),
    "a fraction": ("20260301060000.25", "", "", "20260301060000.25"),
    "of the order": ("", "20260301050000-0500", "20260301", "20260301050000"),
    "of the report": ("", "", "20260301", "20260301000000"),
    "of the message": ("", "", "", ""),
}


@pytest.mark.parametrize(
    ("own_time", "collection_time", "report_time", "local_time"),
    LOCAL_TIMES.values(),
    ids=LOCAL_TIMES,
)
def test_a_result_is_known_by_the_local_time_that_its_sender_wrote(
    own_time, collection_time, report_time, local_time
):
    order = f"OBR|1||ORD1|CBC|||{collection_time}|||||||||||||||{report_time}"
    (draft,) = read_content(message(PID, order, obx("0.49", observed_at=own_time))).drafts
    assert draft.result_key.local_time == local_time


def test_the_series_is_the_one_that_earlier_releases_stored():
    assert series(labs(obx("1"), obx("2", code="NEUT_ABS^^L"))) == 2 * [
        "LAB|NORTH|ORD1^LAB|neutrophils|"
    ]


def test_each_result_belongs_to_the_order_and_the_participant_above_it():
    second = PID.replace("QX4711", "QX4712")
    raw = message(PID, OBR, obx("1"), second, OBR.replace("ORD1", "ORD2"), obx("2"))
    assert [
        (draft.patient_ids[0].identifier, "ORD2" in draft.series, str(draft.body.value.value))
        for draft in read_content(raw).drafts
    ] == [("QX4711", False, "1"), ("QX4712", True, "2")]


PATIENTS = [
    ("QX4711^^^NMRN^MR", ["QX4711"]),
    ("QX4711^^^NMRN", ["QX4711"]),
    (" QX4711 ^^^NMRN", ["QX4711"]),
    ("QX4711^^^NMRN&1.2.3&ISO^MR", ["QX4711"]),
    ("99^^^SSA^SS~QX4711^^^NMRN^MR", ["QX4711"]),
    ("QX4711^^^NMRN^MR~QX4711^^^NMRN^MR", ["QX4711"]),
    ("QX4711^^^NMRN^MR~0815^^^NMRN^MR", ["QX4711", "0815"]),
    ("QX4711^^^NMRN^PI", []),
    ("QX4711^^^OTHER^MR", []),
    ("QX4711", []),
    ("", []),
]


@pytest.mark.parametrize(("identifier_field", "identifiers"), PATIENTS)
def test_only_identifiers_of_an_authority_of_the_site_count(identifier_field, identifiers):
    content = read_content(message(f"PID|1||{identifier_field}", obx("0.49")))
    identifiers_by_draft = [
        [key.identifier for key in draft.patient_ids] for draft in content.drafts
    ]
    assert identifiers_by_draft == ([identifiers] if identifiers else [])
    assert len(content.parked) == (not identifiers)


def test_without_pid_every_result_is_parked():
    raw = message(OBR, obx("0.49"), obx("0.5"))
    assert read_parked(raw) == [("OBX[1]", "no-participant"), ("OBX[2]", "no-participant")]


def test_the_count_of_the_sender_is_kept():
    assert read_draft(obx("0.49"), tail="|17").sequence == 17
    assert read_draft(obx("0.49"), tail="|many").sequence == 0


# a code as a laboratory sends it, what it measures, and the unit it arrives in
NEWER = {
    "2744-1": ("7.21", "[pH]", "ph", "[pH]"),
    "98979-8": ("41", "mL/min/1.73m2", "egfr", "mL/min/{1.73_m2}"),
    "2164-2": ("25", "ml/min", "creatinine-clearance", "mL/min"),
    "2889-4": ("1200", "mg/24h", "urine-protein-24h", "mg/d"),
    "2890-2": ("900", "mg/g{creat}", "urine-protein-creatinine", "mg/g"),
    "20152-5": ("58", "%", "fev1", "%"),
}


@pytest.mark.parametrize(("code", "row"), NEWER.items(), ids=NEWER)
def test_kidney_acid_base_and_lung_results_are_read(code, row):
    value, written_unit, measure, unit = row
    body = read_draft(obx(value, written_unit, code=f"{code}^x^LN")).body
    assert (body.measure, body.value) == (measure, quantity(value, unit))
