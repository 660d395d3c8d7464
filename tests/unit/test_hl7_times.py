"""HL7 times become UTC instants, and what the text left open is said."""

import pytest

from services.ingest.domain.hl7.times import is_site_clock, read_time
from tests.helpers.hl7_messages import RHEIN, labs, message, obx, read_content, read_draft

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
DAY_ONLY = ("time of day not reported",)

# text, zone of the site, offset of MSH-7, the instant in UTC, what is noted
READABLE_TIMES = {
    "offset in the value": ("20260301080000-0500", BERLIN, "", "2026-03-01T13:00:00", ()),
    "the value's offset before MSH-7's": (
        "20260301080000+0530",
        BERLIN,
        "-0500",
        "2026-03-01T02:30:00",
        (),
    ),
    "MSH-7's offset before the zone": (
        "20260301080000",
        BERLIN,
        "-0500",
        "2026-03-01T13:00:00",
        (),
    ),
    "the site's zone in winter": ("20260301080000", NEW_YORK, "", "2026-03-01T13:00:00", ()),
    "the site's zone in summer": ("20260701080000", NEW_YORK, "", "2026-07-01T12:00:00", ()),
    "to the minute": ("202603010800", BERLIN, "", "2026-03-01T07:00:00", ()),
    "to the hour": ("2026030108", BERLIN, "", "2026-03-01T07:00:00", ()),
    "to the day, of the site": ("20260301", BERLIN, "", "2026-02-28T23:00:00", DAY_ONLY),
    "to the month": ("202603", "UTC", "", "2026-03-01T00:00:00", DAY_ONLY),
    "to the year": ("2026", "UTC", "", "2026-01-01T00:00:00", DAY_ONLY),
    "fractions": ("20260301080000.1234+0100", BERLIN, "", "2026-03-01T07:00:00.123400", ()),
    "clocks skipped it in New York": (
        "20260308023000",
        NEW_YORK,
        "",
        "2026-03-08T07:30:00",
        ("local time that the clocks skipped",),
    ),
    "it came twice in Berlin, first taken": (
        "20261025023000",
        BERLIN,
        "",
        "2026-10-25T00:30:00",
        ("local time that came twice; the first is taken",),
    ),
    "it came twice, but says its offset": (
        "20261025023000+0100",
        BERLIN,
        "",
        "2026-10-25T01:30:00",
        (),
    ),
    "clocks skipped it, but MSH-7 says the offset": (
        "20260308023000",
        NEW_YORK,
        "-0500",
        "2026-03-08T07:30:00",
        (),
    ),
    "a leap day": ("20280229", "UTC", "", "2028-02-29T00:00:00", DAY_ONLY),
    "spaces around": (" 20260301080000+0000 ", BERLIN, "", "2026-03-01T08:00:00", ()),
}


@pytest.mark.parametrize(
    ("text", "zone", "offset", "instant", "notes"), READABLE_TIMES.values(), ids=READABLE_TIMES
)
def test_a_time_is_read(text, zone, offset, instant, notes):
    time = read_time(text, zone, offset)
    assert (time.instant.isoformat(), time.notes) == (f"{instant}+00:00", notes)


OTHER_SEASON = ("the clocks changed before it was sent",)

# text, zone of the site, offset and time of MSH-7, the instant in UTC, what is noted
CLOCK_CHANGES = {
    "before the change, sent after it": (
        "20260307120000", NEW_YORK, "20260309080000-0400", "2026-03-07T17:00", OTHER_SEASON,
    ),
    "the last instant before it": (
        "20260308015959", NEW_YORK, "20260309080000-0400", "2026-03-08T06:59", OTHER_SEASON,
    ),
    "the first instant after it": (
        "20260308030000", NEW_YORK, "20260309080000-0400", "2026-03-08T07:00", (),
    ),
    "on the same side": ("20260307120000", NEW_YORK, "20260307130000-0500", "2026-03-07T17:00", ()),
    "in summer, sent in winter": (
        "20261024120000", BERLIN, "20261026080000+0100", "2026-10-24T10:00", OTHER_SEASON,
    ),
    "it came twice, and MSH-7 has the second": (
        "20261025023000", BERLIN, "20261026080000+0100", "2026-10-25T01:30", (),
    ),
    "it came twice, and MSH-7 has the first": (
        "20261025023000", BERLIN, "20261025023500+0200", "2026-10-25T00:30", (),
    ),
    "a sender whose clock is not the site's": (
        "20260307120000", NEW_YORK, "20260309080000+0000", "2026-03-07T12:00", (),
    ),
    "an offset in the value": (
        "20260307120000-0400", NEW_YORK, "20260309080000-0400", "2026-03-07T16:00", (),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "zone", "sent_at", "instant", "notes"), CLOCK_CHANGES.values(), ids=CLOCK_CHANGES
)
def test_a_clock_change_between_a_time_and_its_message(text, zone, sent_at, instant, notes):
    site = {NEW_YORK: ("LAB|NORTH", "NMRN"), BERLIN: ("ORBIS|RHEIN", "PATNR")}[zone]
    raw = message(
        f"PID|1||QX4711^^^{site[1]}^MR",
        obx("0.49", observed_at=text),
        sender=site[0],
        sent_at=sent_at,
    )
    (draft,) = read_content(raw).drafts
    assert (f"{draft.observed_at:%Y-%m-%dT%H:%M}", draft.notes) == (instant, notes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '""',
        "yesterday",
        "2026-03-01",
        "2026-03-01T08:00:00",
        "20260230",
        "20261301",
        "2026030125",
        "20260301086000",
        "20260301080000+01:00",
        "20260301080000+9900",
        "20260301080000Z",
        "20260301080000.x",
        "202603010",
        "00010101",
        "00010101000000+0000",
        "17530101",
        "99991231235959-0500",
        "-0500",
    ],
)
@pytest.mark.parametrize("zone", [NEW_YORK, BERLIN])
def test_what_is_no_time_is_none(text, zone):
    assert read_time(text, zone) is None


SITE_CLOCKS = [  # when a message was sent, zone of the site, offset of MSH-7
    ("20260301080000+0100", BERLIN, "+0100", True),
    ("20260301080000+0000", BERLIN, "+0000", False),
    ("99991231225900+0000", BERLIN, "+0000", False),
    ("99991231225900+0000", BERLIN, "+0100", True),
    ("99991231230000+0000", BERLIN, "+0000", False),
    ("99991231235900+0000", "UTC", "+0000", True),
]


@pytest.mark.parametrize(("text", "zone", "offset", "is_clock"), SITE_CLOCKS)
def test_an_offset_is_that_of_the_clocks_of_a_site_or_not(text, zone, offset, is_clock):
    assert is_site_clock(read_time(text, zone).instant, zone, offset) is is_clock


# OBX-14, OBR-7, OBR-22, what follows
DATES = [
    ("20260301060000-0500", "20260301050000-0500", "20260301040000-0500", "11:00", ()),
    ("", "20260301050000-0500", "20260301040000-0500", "10:00", ("observed_at from OBR-7",)),
    ("", "", "20260301040000-0500", "09:00", ("observed_at from OBR-22",)),
    ("", "", "", "14:00", ("observed_at from MSH-7",)),
]


@pytest.mark.parametrize(("own_time", "collection_time", "report_time", "instant", "notes"), DATES)
def test_a_result_is_dated_by_the_first_time_there_is_and_says_which(
    own_time, collection_time, report_time, instant, notes
):
    order = f"OBR|1||ORD1|CBC|||{collection_time}|||||||||||||||{report_time}"
    raw = message("PID|1||QX4711^^^NMRN^MR", order, obx("0.49", observed_at=own_time))
    (draft,) = read_content(raw).drafts
    assert (f"{draft.observed_at:%H:%M}", draft.notes) == (instant, notes)
    assert f"{draft.reported_at:%H:%M}" == ("09:00" if report_time else "14:00")


def test_an_unreadable_time_is_parked_and_not_replaced_by_another():
    (item,) = read_content(labs(obx("0.49", observed_at="soon"))).parked
    assert (item.path, str(item.reason)) == ("OBX[1].14", "unreadable-time")


def test_a_time_without_offset_takes_that_of_the_message():
    assert f"{read_draft(obx('0.49', observed_at='20260301060000')).observed_at:%H:%M}" == "11:00"


def test_a_time_without_any_offset_is_in_the_zone_of_the_site():
    raw = message(
        "PID|1||QX4711^^^PATNR^MR",
        obx("0.49", observed_at="20260701060000"),
        sender="|".join(RHEIN.senders),
        sent_at="20260701090000",
    )
    (draft,) = read_content(raw).drafts
    assert f"{draft.observed_at:%H:%M}" == "04:00"


def test_a_day_without_a_time_is_noted_with_the_result():
    assert "time of day not reported" in read_draft(obx("0.49", observed_at="20260301")).notes
