"""Nothing accepted is dropped: segments behind blanks, results and drugs in any message."""

import pytest

from tests.helpers.hl7_messages import (
    OBR,
    PID,
    labs,
    message,
    obx,
    read_content,
    read_parked,
    read_refusal,
)

DEATH = "|".join(PID.split("|") + [""] * 20 + ["20260301073000", "Y"])
RXA = "RXA|0|1|20260301080000||^tocilizumab|480|mg||given"
PV1 = "PV1|1|I|MICU||||||||||||||||V1"

INVISIBLE = {
    "a blank": " ",
    "a tab": "\t",
    "several blanks": " \t  ",
    "a no-break space": "\N{NO-BREAK SPACE}",
    "a wide space": "\N{IDEOGRAPHIC SPACE}",
    "a space without width": "\N{ZERO WIDTH SPACE}",
    "a mark of byte order": "\N{ZERO WIDTH NO-BREAK SPACE}",
}


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("mark", INVISIBLE.values(), ids=INVISIBLE)
def test_a_segment_behind_what_nobody_sees_is_read(mark, end):
    segments = [PID, OBR, obx("0.49")]
    for number in range(3):
        padded_segments = [mark + s if at == number else s for at, s in enumerate(segments)]
        content = read_content(message(*padded_segments, end=end))
        assert ([str(d.body.value.value) for d in content.drafts], content.parked) == (["0.49"], ())
        assert content.drafts[0].series.startswith("LAB|NORTH|ORD1^LAB|")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("name", ["obx", "Obx", "OBX ", "OBX\t", " obx "])
def test_the_name_of_a_segment_may_be_written_otherwise(name, end):
    raw = message(PID, OBR, obx("0.49").replace("OBX", name, 1), end=end)
    assert (len(read_content(raw).drafts), read_parked(raw)) == (1, [])


NAMELESS = ["-OBX|1", '"OBX|1', "OBXX|1", "1BX|1", "OB|1", "and so on", "|1|2"]


@pytest.mark.parametrize("line", NAMELESS)
def test_a_line_that_begins_with_no_name_is_parked_and_the_others_are_read(line):
    raw = labs(obx("0.49"), line, line)
    (item,) = read_content(raw).parked
    assert (item.path, str(item.reason)) == ("line 5", "unreadable-line")
    assert item.detail.startswith("2 lines begin with no name")
    assert len(read_content(raw).drafts) == 1


@pytest.mark.parametrize("line", ["", " ", "\t", "ZAB|1", "NTE|1||text"])
def test_an_empty_line_and_another_segment_are_nothing_to_park(line):
    assert read_parked(labs(obx("0.49"), line)) == []


RESULT_MESSAGES = [
    *(f"ORU^{event}" for event in ("R01", "R30", "R31", "R32", "R40")),
    *(f"OUL^{event}" for event in ("R21", "R22", "R23", "R24")),
    "ORF^R04",
    "ORU^R40^ORU_R40",
    "oru^r01",
]


@pytest.mark.parametrize("kind", RESULT_MESSAGES)
def test_results_are_read_from_any_of_these(kind):
    raw = labs(obx("0.49"), obx("1", code="X^Y^Z"), kind=kind)
    assert [draft.path for draft in read_content(raw).drafts] == ["OBX[1]"]
    assert read_parked(raw) == [("OBX[2].3", "unknown-code")]


def test_the_orders_of_a_specimen_follow_it():
    first, second = (OBR.replace("ORD1", order) for order in ("ORD1", "ORD2"))
    segments = ("SPM|1", obx("1"), first, obx("2"), "SPM|2", obx("3"), second, obx("4"))
    for kind, orders in (
        ("OUL^R22", ["", "ORD1^LAB", "", "ORD2^LAB"]),
        ("OUL^R24", ["", "ORD1^LAB", "ORD1^LAB", "ORD2^LAB"]),  # specimens follow their order
        ("ORU^R01", ["", "ORD1^LAB", "ORD1^LAB", "ORD2^LAB"]),
    ):
        drafts = read_content(message(PID, *segments, kind=kind)).drafts
        assert [draft.series.split("|")[2] for draft in drafts] == orders


ELSEWHERE = {
    "a result in an update": (message(PID, PV1, obx("0.49"), kind="ADT^A08"), ["observation"]),
    "a result in an admission": (
        message("EVN|A01|20260301080000", PID, PV1, obx("0.49"), kind="ADT^A01"),
        ["movement", "observation"],
    ),
    "a result beside a death": (
        message(DEATH, obx("0.49"), kind="ADT^A31"),
        ["death", "observation"],
    ),
    "a result beside a drug": (
        message(PID, RXA, obx("0.49"), kind="RAS^O17"),
        ["administration", "observation"],
    ),
    "a drug beside a result": (labs(obx("0.49"), RXA), ["observation", "administration"]),
    "a drug alone": (labs(RXA), ["administration"]),
    "a drug in a transfer": (
        message("EVN|A02|20260301080000", PID, PV1, RXA, kind="ADT^A02"),
        ["movement", "administration"],
    ),
    "a result beside a merge": (
        message(PID, "MRG|0815^^^NMRN^MR", obx("0.49"), kind="ADT^A40"),
        ["observation"],
    ),
}


@pytest.mark.parametrize(("raw", "kinds"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_results_and_drugs_are_read_wherever_they_stand(raw, kinds):
    content = read_content(raw)
    assert ([draft.body.kind for draft in content.drafts], content.parked) == (kinds, ())


def test_what_of_them_cannot_be_used_is_parked():
    raw = message(PID, PV1, obx("0.49", "furlongs"), kind="ADT^A08")
    assert read_parked(raw) == [("OBX[1].6", "unknown-unit")]


EMPTY = {
    "no result": (labs(), "OBX"),
    "no segment": (message(), "OBX"),
    "a note alone": (message(PID, OBR, "NTE|1||hemolyzed"), "OBX"),
    "no result of a query": (message(PID, kind="ORF^R04"), "OBX"),
    "no drug": (message(PID, "ORC|RE|P1|F1", kind="RAS^O17"), "RXA"),
}


@pytest.mark.parametrize(("raw", "name"), EMPTY.values(), ids=EMPTY)
def test_a_message_without_what_it_is_for_is_parked(raw, name):
    (item,) = read_content(raw).parked
    assert (item.path, str(item.reason)) == ("MSH.9", "unsupported-message")
    assert item.detail.startswith(f"there is no {name} in it")


@pytest.mark.parametrize("kind", ["ADT^A08", "ADT^A31"])
def test_an_update_of_a_person_has_nothing_to_park(kind):
    content = read_content(message(PID, kind=kind))
    assert (content.drafts, content.parked) == ((), ())


@pytest.mark.parametrize("mark", ["", *INVISIBLE.values()])
def test_two_messages_in_one_are_refused_whatever_stands_before_the_second(mark):
    raw = labs(obx("0.49"))
    assert "more than one message" in read_refusal(raw + mark.encode() + raw).problem
