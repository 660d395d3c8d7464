"""Drugs given, started, changed and stopped."""

from datetime import timedelta

import pytest

from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.vocabulary.clinical_fact import Action
from services.vocabulary.fact import Fact, Status
from tests.helpers.fact_notes import quantity
from tests.helpers.hl7_messages import PID, message, read_content, read_parked

ORDER = "ORC|RE||RX1"
BLINATUMOMAB = "853406^blinatumomab^RXN"


def rxa(
    drug=BLINATUMOMAB, amount="8", unit="ug/d", note="start", start_text="20260301080000", **extras
):
    """RXA of one administration."""
    fields = {3: start_text, 4: extras.get("end_text", ""), 5: drug, 6: amount, 7: unit, 9: note}
    fields |= {18: extras.get("refusal", "")}
    fields |= {20: extras.get("completion", ""), 21: extras.get("action", "")}
    return "RXA|" + "|".join(fields.get(place, "") for place in range(1, 22))


def make_message(*segments):
    return message(PID, ORDER, *segments, kind="RAS^O17")


def describe(*segments):
    content = read_content(make_message(*segments))
    assert content.parked == ()
    return [
        (draft.body.drug, str(draft.body.action), draft.body.dose, f"{draft.observed_at:%H:%M}")
        for draft in content.drafts
    ]


DRUGS = [
    (BLINATUMOMAB, "blinatumomab"),
    ("L01FX07^^ATC", "blinatumomab"),
    ("X1^Dexamethasone", "dexamethasone"),
    ("DEXA4MG^^L", "dexamethasone"),
    ("^tocilizumab", "tocilizumab"),
    ("^norepinephrine", "norepinephrine"),
    ("^vasopressin", "vasopressin"),
    ("161^^RXN", "acetaminophen"),
    ("^ibuprofen", "ibuprofen"),
    ("161^Tylenol tablet^RxNorm", "acetaminophen"),
    ("L01FX07^^L", "blinatumomab"),
    ("7F3^VASO DRIP^L^11149^vasopressin^RXNORM", "vasopressin"),
    ("7F3^VASO DRIP^L^DEXA4MG^^L", "dexamethasone"),
    ("7F3^VASO DRIP^L^9G^Noradrenaline^L", "norepinephrine"),
    ("7F3^^L^9G^^L^^^^161^^RXNORM", "acetaminophen"),
    ("7F3^heparin^L^3264^^RXNORM", "dexamethasone"),  # a code says more than a text
    ("2103182^vasopressin (USP) 20 UNT/ML Injectable Solution^RXNORM", "vasopressin"),
    ("1791840^100 ML milrinone 0.2 MG/ML Injection^RXNORM", "milrinone"),
    ("242969^norepinephrine 1 MG/ML Injectable Solution^RXNORM", "norepinephrine"),
    ("H01BA06^argipressin^ATC", "vasopressin"),
]


@pytest.mark.parametrize(("drug_field", "drug"), DRUGS)
def test_a_drug_is_known_by_its_code_or_its_name(drug_field, drug):
    assert describe(rxa(drug=drug_field, amount="1", unit="mg", note="given"))[0][:2] == (
        drug,
        "given",
    )


UNKNOWN_DRUGS = [
    "161^Aspirin 100^L",  # a number of another system
    "161",
    "^161^L^161^^99LAB",
    "X^dexamethasone 1 MG/ML Ophthalmic Suspension^RXNORM",
    "X^lidocaine 10 MG/ML / epinephrine 0.01 MG/ML Injectable Solution^RXNORM",
    "X^epinephrine 0.3 MG/ML Auto-Injector^RXNORM",
    "",
]


@pytest.mark.parametrize("drug_field", UNKNOWN_DRUGS)
def test_a_drug_that_is_not_certain_is_parked(drug_field):
    assert read_parked(make_message(rxa(drug=drug_field))) == [("RXA[1].5", "unknown-code")]


def test_the_steps_of_an_infusion():
    steps = [("8", "start", "0800"), ("16", "rate", "0900"), ("", "stop", "1000")]
    raw = [rxa(amount=amount, note=note, start_text=f"20260301{at}") for amount, note, at in steps]
    assert describe(*raw) == [
        ("blinatumomab", "start", quantity("8", "ug/d"), "13:00"),
        ("blinatumomab", "rate", quantity("16", "ug/d"), "14:00"),
        ("blinatumomab", "stop", None, "15:00"),
    ]


def test_two_times_far_apart_are_a_start_and_a_stop():
    raw = rxa(note="", end_text="20260301200000")
    assert [(action, at) for _, action, _, at in describe(raw)] == [
        ("start", "13:00"),
        ("stop", "01:00"),
    ]


@pytest.mark.parametrize("end_text", ["", "20260301080000", "20260301081500"])
def test_two_times_close_together_are_one_dose(end_text):
    assert [action for _, action, _, _ in describe(rxa(note="", end_text=end_text))] == ["given"]


def test_premedication_is_scheduled():
    raw = make_message(
        rxa(drug="^dexamethasone", amount="20", unit="mg", note="given~premedication")
    )
    assert read_content(raw).drafts[0].body.scheduled is True
    assert read_content(make_message(rxa(note="given"))).drafts[0].body.scheduled is False


def test_the_route_follows_and_the_order_precedes():
    (draft,) = read_content(make_message(rxa(), "RXR|IV^intravenous")).drafts
    assert draft.body.route == "IV"
    assert "RX1" in draft.series


@pytest.mark.parametrize(
    ("amount", "unit", "dose"),
    [
        ("20", "mg", quantity("20", "mg")),
        ("20", "", quantity("20", "")),
        ("999", "mg", quantity("999", "mg")),
        ("999", "", None),
        ("", "mg", None),
        ("some", "mg", None),
        ("0,5", "mg", None),
        ("1,200", "mg", None),
        ("8", "mcg/24 h", quantity("8", "ug/d")),
        ("8", "X7^mcg/24 h^L", quantity("8", "ug/d")),
    ],
)
def test_a_dose_is_kept_as_sent_and_an_unknown_one_is_none(amount, unit, dose):
    assert describe(rxa(amount=amount, unit=unit, note="given"))[0][2] == dose


@pytest.mark.parametrize(
    ("amount", "notes"),
    [("8", ()), ("999", ()), ("", ()), ("8,5", ("dose not read",)), ("some", ("dose not read",))],
)
def test_a_dose_that_is_not_read_is_noted(amount, notes):
    (draft,) = read_content(make_message(rxa(amount=amount, unit="", note="given"))).drafts
    assert draft.notes == notes


PARKED = [
    (rxa(drug="X^homeopathy"), "RXA[1].5", "unknown-code"),
    (rxa(unit="drops"), "RXA[1].7", "unknown-unit"),
    (rxa(unit="^drops"), "RXA[1].7", "unknown-unit"),
    (rxa(start_text=""), "RXA[1].3", "unreadable-time"),
    (rxa(start_text="soon"), "RXA[1].3", "unreadable-time"),
    (rxa(action="Q"), "RXA[1].21", "unreadable-value"),
]


@pytest.mark.parametrize(("segment", "path", "reason"), PARKED)
def test_what_cannot_be_read_is_parked_and_the_others_go_on(segment, path, reason):
    raw = make_message(segment, rxa(drug="^tocilizumab"))
    assert read_parked(raw) == [(path, reason)]
    assert [draft.body.drug for draft in read_content(raw).drafts] == ["tocilizumab"]


# RXA-20, RXA-21, and what becomes of the dose; RXA-18 is in the rows below
STATUSES = [
    ("", "", "F"),
    ("CP", "A", "F"),
    ("PA", "A", "F"),
    ("cp", "a", "F"),
    (" CP ", "A", "F"),
    ('""', '""', "F"),
    ("CP", "X", "F"),
    ("CP", "U", "C"),
    ("PA", "u", "C"),
    ("RE", "A", "X"),
    ("NA", "", "X"),
    ("re", "", "X"),
    ("RE", "X", "X"),
    ("RE", "U", "D"),
    ("NA", "U", "D"),
    ("na", "u", "D"),
    ("CP", "D", "D"),
    ("RE", "D", "D"),
    ("re", "d", "D"),
    ("HELD", "D", "D"),
]


@pytest.mark.parametrize(("completion", "action", "status"), STATUSES)
def test_a_dose_is_given_corrected_or_was_not_given_after_all(completion, action, status):
    given_draft, draft = (
        read_content(make_message(rxa(note="given", **fields))).drafts[0]
        for fields in ({}, {"completion": completion, "action": action})
    )
    assert (draft.status, draft.series) == (Status(status), given_draft.series)


@pytest.mark.parametrize("completion", ["HELD", "held", "ReX", "C", "CPX", "N", "R"])
@pytest.mark.parametrize("action", ["", "A", "U"])
def test_another_completion_is_parked(completion, action):
    raw = make_message(rxa(completion=completion, action=action))
    assert (read_parked(raw), read_content(raw).drafts) == (
        [("RXA[1].20", "unreadable-value")],
        (),
    )


REFUSALS = [
    ("00^Parental decision^NIP002", "", "", "X"),
    ("^patient was asleep", "", "", "X"),
    ("00", "RE", "U", "D"),
    ('""', "CP", "", "F"),
]


@pytest.mark.parametrize(("reason", "completion", "action", "status"), REFUSALS)
def test_a_reason_of_refusal_says_that_it_was_not_given(reason, completion, action, status):
    segment = rxa(refusal=reason, completion=completion, action=action, note="given")
    (draft,) = read_content(make_message(segment)).drafts
    assert draft.status == Status(status)


def test_given_and_refused_is_parked():
    raw = make_message(rxa(refusal="00^asleep", completion="CP"))
    assert read_parked(raw) == [("RXA[1].20", "unreadable-value")]


CHANGED_ENTRIES = [
    # of an infusion that was said to be one dose, and of one whose end is left out
    (
        {"end_text": "20260301200000", "action": "U"},
        [("start", "C"), ("stop", "C"), ("given", "X")],
    ),
    (
        {"end_text": "20260301200000", "action": "D"},
        [("start", "D"), ("stop", "D"), ("given", "X")],
    ),
    ({"action": "U"}, [("given", "C"), ("start", "X"), ("stop", "X")]),
    ({"action": "D"}, [("given", "D"), ("start", "X"), ("stop", "X")]),
    ({"action": "U", "completion": "RE"}, [("given", "D"), ("start", "X"), ("stop", "X")]),
    ({"completion": "RE"}, [("given", "X"), ("start", "X"), ("stop", "X")]),
    (
        {"completion": "RE", "end_text": "20260301200000"},
        [("start", "X"), ("stop", "X"), ("given", "X")],
    ),
    ({"action": "U", "note": "start"}, [("start", "C")]),
]


@pytest.mark.parametrize(("fields", "statuses"), CHANGED_ENTRIES)
def test_without_a_word_a_changed_entry_takes_back_what_it_no_longer_is(fields, statuses):
    drafts = read_content(make_message(rxa(**{"note": "", **fields}))).drafts
    assert [(str(d.body.action), d.status.value) for d in drafts] == statuses


FIRST = {"note": "", "end_text": "20260301200000"}  # from 8 to 20 o'clock
SECOND = {"note": "", "start_text": "20260302080000", "end_text": "20260302200000"}
LATER = {
    "the same entry": ({**FIRST, "action": "D"}, "2 08 start, 2 20 stop"),
    "without its end": ({"note": "", "action": "D"}, "2 08 start, 2 20 stop"),
    "the other, without its end": (
        {"note": "", "action": "D", "start_text": "20260302080000"},
        "1 08 start, 1 20 stop",
    ),
    "without its end, in the zone of the sender": (
        {"note": "", "action": "D", "start_text": "20260301080000-0500"},
        "2 08 start, 2 20 stop",
    ),
    "a dose that there was not": (
        {"note": "", "action": "D", "start_text": "20260301100000"},
        "1 08 start, 1 20 stop, 2 08 start, 2 20 stop",
    ),
    "it was one dose": (
        {"note": "", "action": "U"},
        "1 08 given, 2 08 start, 2 20 stop",
    ),
    "it was not given": ({"note": "", "completion": "RE"}, "2 08 start, 2 20 stop"),
    "it was not given after all": (
        {"note": "", "completion": "RE", "action": "U"},
        "2 08 start, 2 20 stop",
    ),
    "it ended earlier": (
        {**FIRST, "end_text": "20260301180000", "action": "U"},
        "1 08 start, 1 18 stop, 2 08 start, 2 20 stop",
    ),
}


@pytest.mark.parametrize(("fields", "expected"), LATER.values(), ids=LATER)
def test_what_is_left_of_two_infusions_of_an_order(fields, expected):
    raw = [
        message(PID, ORDER, rxa(**entry), kind="RAS^O17", sent_at=f"202603{day}090000-0500")
        for entry, day in ((FIRST, "03"), (SECOND, "04"), (fields, "05"))
    ]
    facts = [
        Fact(f"{number}.{draft.path}", "P-001", draft.observed_at, draft.reported_at, draft.body,
             f"{draft.body}", status=draft.status, series=draft.series, result_key=draft.result_key)
        for number, one in enumerate(raw) for draft in read_content(one).drafts
    ]  # fmt: skip
    for order in (facts, facts[::-1]):
        remaining_steps = [
            (one.observed_at - timedelta(hours=5), one.body) for one in select_current_facts(order)
        ]
        assert ", ".join(f"{at:%-d %H} {body.action}" for at, body in remaining_steps) == expected


def test_one_is_taken_back_whatever_its_dose_is():
    (draft,) = read_content(make_message(rxa(unit="drops", action="D"))).drafts
    assert (draft.status, draft.body.action) == (Status.DELETED, Action.START)


def test_about_nobody_it_is_parked():
    raw = message("PID|1||", ORDER, rxa(), kind="RAS^O17")
    assert read_parked(raw) == [("RXA[1]", "no-participant")]
