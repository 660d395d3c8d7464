"""Movements between wards, death, and two identifiers that are one person."""

import pytest

from services.vocabulary.clinical_fact import Death, Movement
from services.vocabulary.fact import Status
from tests.helpers.hl7_messages import PID, message, read_content, read_parked

EVENT = "EVN|A01|20260301080000"


def visit(ward="WARD", admission="", discharge="", kind=""):
    fields = {2: "I", 3: ward, 4: kind, 19: "V1", 44: admission, 45: discharge}
    return "PV1|" + "|".join(fields.get(place, "") for place in range(1, 46))


def pid(death_flag="", death_time=""):
    return "|".join(PID.split("|") + [""] * 20 + [death_time, death_flag])


def adt(event, *segments):
    return message(EVENT, *segments, kind=f"ADT^{event}")


MOVEMENTS = [
    ("A01", visit(), Movement("admission")),
    ("A01", visit("MICU"), Movement("icu")),
    ("A01", visit("MICU^3^A"), Movement("icu")),
    ("A02", visit("MICU"), Movement("icu")),
    ("A02", visit(" MICU"), Movement("icu")),
    ("A02", visit(), Movement("ward")),
    ("A03", visit("MICU"), Movement("discharge")),
    ("A04", visit(), Movement("outpatient")),
    ("A11", visit(), Movement("admission", True)),
    ("A12", visit(), Movement("ward", True)),
    ("A13", visit(), Movement("discharge", True)),
]


@pytest.mark.parametrize(("event", "where", "body"), MOVEMENTS)
def test_a_movement(event, where, body):
    (draft,) = read_content(adt(event, PID, where)).drafts
    assert draft.body == body


ADMISSION_TYPES = {  # PV1-4 (table 0007), and if the admission is planned
    **dict.fromkeys(("", '""', "R", "N", "R^Routine^HL70007", "X", "C^Urgent"), None),
    **dict.fromkeys(("C", "c", "C^Elective^HL70007", " L ", "EL^Elective^L", "ELECTIVE"), True),
    **dict.fromkeys(("E", "U", "A", "e", "E^Emergency^HL70007", "Urgent", "1^Emergency"), False),
}


@pytest.mark.parametrize(("kind", "planned"), ADMISSION_TYPES.items())
def test_the_type_of_an_admission_says_if_it_was_planned(kind, planned):
    (draft,) = read_content(adt("A01", PID, visit(kind=kind))).drafts
    assert draft.body == Movement("admission", planned=planned)
    for event in ("A02", "A03", "A04", "A11"):
        (draft,) = read_content(adt(event, PID, visit(kind=kind))).drafts
        assert draft.body.planned is None


@pytest.mark.parametrize(("event", "undone_by"), [("A01", "A11"), ("A02", "A12"), ("A03", "A13")])
def test_a_cancellation_has_the_key_of_what_it_cancels(event, undone_by):
    first, second = (read_content(adt(one, PID, visit())).drafts[0] for one in (event, undone_by))
    assert first.series == second.series


PLACES = [
    ("WARD", True),
    (" WARD ", True),
    ("4E^12^A", True),
    ("MICU", False),
    (" MICU ", False),
    ("", False),
    ('""', False),
]


@pytest.mark.parametrize(("ward", "is_outside"), PLACES)
def test_an_update_says_who_is_not_in_intensive_care(ward, is_outside):
    drafts = read_content(adt("A08", PID, visit(ward))).drafts
    assert [draft.body for draft in drafts] == [Movement("icu", True)] * is_outside


@pytest.mark.parametrize("segments", [[PID], [PID.replace("NMRN", "PATNR"), visit()]])
def test_an_update_of_no_visit_or_of_a_site_without_intensive_care_says_nothing(segments):
    sender = "LAB|NORTH" if len(segments) == 1 else "ORBIS|RHEIN"
    raw = message(EVENT, *segments, kind="ADT^A08", sender=sender)
    assert (read_content(raw).drafts, read_content(raw).parked) == ((), ())


def test_an_update_without_a_readable_time_is_parked():
    raw = message("EVN|A08|soon", PID, visit(), kind="ADT^A08")
    assert read_parked(raw) == [("EVN", "unreadable-time")]


DATES = [
    ("A01", visit(admission="20260228200000"), "2026-03-01 01:00", ()),
    ("A03", visit(discharge="20260228200000"), "2026-03-01 01:00", ()),
    ("A01", visit(), "2026-03-01 13:00", ("observed_at from EVN-2",)),
]


@pytest.mark.parametrize(("event", "where", "instant", "notes"), DATES)
def test_a_movement_is_dated_by_its_visit_else_by_its_event(event, where, instant, notes):
    (draft,) = read_content(adt(event, PID, where)).drafts
    assert (f"{draft.observed_at:%Y-%m-%d %H:%M}", draft.notes) == (instant, notes)


def test_a_movement_and_a_death_say_of_which_visit_they_are():
    death_pid = pid("Y", "20260301073000")
    assert [draft.visit for draft in read_content(adt("A01", death_pid, visit())).drafts] == [
        "V1",
        "V1",
    ]


def test_a_movement_without_its_event_is_dated_by_its_message():
    (draft,) = read_content(message(PID, visit(), kind="ADT^A02")).drafts
    assert (f"{draft.observed_at:%H:%M}", draft.notes) == ("14:00", ("observed_at from MSH-7",))


def test_an_unreadable_time_of_a_movement_is_parked():
    raw = adt("A03", PID, visit(discharge="soon"))
    assert read_parked(raw) == [("EVN", "unreadable-time")]


@pytest.mark.parametrize("event", ["A01", "A03", "A08", "A31"])
def test_a_death_is_read_from_any_of_these(event):
    drafts = read_content(adt(event, pid("Y", "20260301073000"), visit())).drafts
    (death,) = [draft for draft in drafts if isinstance(draft.body, Death)]
    assert f"{death.observed_at:%Y-%m-%d %H:%M}" == "2026-03-01 12:30"


@pytest.mark.parametrize(
    ("death_flag", "death_time"), [("N", ""), ("N", '""'), ('""', ""), ('""', '""')]
)
def test_who_has_not_died_takes_back_a_death(death_flag, death_time):
    (draft,) = read_content(adt("A08", pid(death_flag, death_time))).drafts
    assert (draft.body, draft.status, draft.series) == (Death(), Status.DELETED, "")


@pytest.mark.parametrize("death_time", ["", '""'])
def test_a_message_that_does_not_speak_of_death_takes_back_none(death_time):
    assert read_content(adt("A08", pid("", death_time))).drafts == ()


def test_a_death_without_a_date_takes_that_of_its_message_and_says_so():
    (death,) = read_content(adt("A08", pid("Y"))).drafts
    assert (f"{death.observed_at:%H:%M}", death.notes) == (
        "13:00",
        ("date of death not reported; that of the message is taken",),
    )


def test_a_date_of_death_alone_is_a_death():
    (death,) = read_content(adt("A08", pid("", "20260301"))).drafts
    assert death.notes == ("time of day not reported",)


@pytest.mark.parametrize(
    ("segment", "place"),
    [
        (pid("Y", "soon"), ("PID.29", "unreadable-time")),
        (pid("N", "20260301"), ("PID.30", "unreadable-value")),
    ],
)
def test_a_death_that_cannot_be_understood_is_parked_and_never_dropped(segment, place):
    raw = adt("A08", segment)
    assert (read_parked(raw), read_content(raw).drafts) == ([place], ())


def test_a_death_whose_message_has_no_readable_time_is_parked():
    raw = message("EVN|A08|soon", pid("Y"), kind="ADT^A08")
    assert (read_parked(raw), read_content(raw).drafts) == ([("PID.30", "unreadable-time")], ())


def test_about_nobody_a_movement_is_parked():
    assert read_parked(adt("A01", visit())) == [("PID", "no-participant")]


@pytest.mark.parametrize("event", ["A40", "A34", "A18"])
def test_a_merge_names_who_is_gone_and_who_stays(event):
    (merge,) = read_content(adt(event, PID, "MRG|0815^^^NMRN^MR")).merges
    assert [merge.merged_ids[0].identifier, merge.survivor[0].identifier] == ["0815", "QX4711"]
    assert merge.is_reversal is False


def pid_of(name):
    return f"PID|{name[-1]}||{name}^^^NMRN^MR"


def mrg_of(name):
    return f"MRG|{name}^^^NMRN^MR"


# segments; each merge as gone > survivor; the paths of what is parked
GROUPS = {
    "two groups": (
        [pid_of("A1"), mrg_of("B1"), pid_of("A2"), mrg_of("B2")], ["B1>A1", "B2>A2"], [],
    ),
    "other segments between": (
        [pid_of("A1"), "PD1|", mrg_of("B1"), "PV1|1", pid_of("A2"), "PD1|", mrg_of("B2")],
        ["B1>A1", "B2>A2"], [],
    ),
    "the first group has no MRG": (
        [pid_of("A1"), pid_of("A2"), mrg_of("B2")], ["B2>A2"], ["PID[1]"],
    ),
    "the last group has no MRG": (
        [pid_of("A1"), mrg_of("B1"), pid_of("A2")], ["B1>A1"], ["PID[2]"],
    ),
    "an MRG before any PID": (
        [mrg_of("B1"), pid_of("A2"), mrg_of("B2")], ["B2>A2"], ["MRG[1]"],
    ),
    "two MRG of one PID": ([pid_of("A1"), mrg_of("B1"), mrg_of("B2")], ["B1>A1", "B2>A1"], []),
    "one group has a number of another authority": (
        [pid_of("A1"), "MRG|B1^^^OTHER^MR", pid_of("A2"), mrg_of("B2")], ["B2>A2"], ["MRG[1]"],
    ),
    "no group": ([], [], ["MRG"]),
}  # fmt: skip


@pytest.mark.parametrize(("segments", "merges", "parked"), GROUPS.values(), ids=GROUPS)
def test_each_merge_pairs_within_its_group(segments, merges, parked):
    content = read_content(adt("A40", *segments))
    assert [
        f"{one.merged_ids[0].identifier}>{one.survivor[0].identifier}" for one in content.merges
    ] == merges
    assert [item.path for item in content.parked] == parked


def test_an_unlinked_pair_is_a_merge_undone():
    (merge,) = read_content(adt("A37", PID, PID.replace("QX4711", "0815"))).merges
    assert merge.is_reversal is True


@pytest.mark.parametrize("segments", [[PID], [PID, "MRG|0815^^^OTHER^MR"], ["MRG|0815^^^NMRN^MR"]])
def test_a_merge_of_nobody_known_is_parked(segments):
    (item,) = read_content(adt("A40", *segments)).parked
    assert str(item.reason) == "no-participant"
