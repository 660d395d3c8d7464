"""Records on topics: what a reader accepts, and what it says of the rest."""

import json

import pytest

from services.relay.packing import LONGEST, pack_records
from services.runtime import topic_names
from services.runtime.kafka_records import (
    VERSION,
    FactRuns,
    NewerRecord,
    read_facts_record,
    write_alert_record,
    write_facts_record,
    write_standings_record,
)
from services.runtime.wire import Unreadable, write_fact
from services.store import outbox
from services.store.outbox import Announcement, announce_facts
from tests.helpers.fact_notes import HOUR_ZERO, hours, lab
from tests.helpers.store import new_database


def make_record(*facts, message="m1", received_at=HOUR_ZERO, first=1):
    """One payload of the outbox."""
    fact_texts = ",".join(
        f"[{seq},{write_fact(fact).decode()}]" for seq, fact in enumerate(facts, first)
    )
    received = received_at.isoformat()
    return f'{{"message": "{message}", "received_at": "{received}", "facts": [{fact_texts}]}}'


FACTS = (lab("alt", "30"), lab("neutrophils", "0.4", hours(1), "10*9/L"))


def alter_record(**changes):
    """A record with other content at its top."""
    return json.dumps(json.loads(write_facts_record("T", [make_record(*FACTS)])) | changes).encode()


def test_facts_come_back_with_their_place_in_the_journal():
    record = write_facts_record(
        "T",
        [make_record(*FACTS), make_record(FACTS[0], message="m2", received_at=hours(2), first=3)],
    )
    message = read_facts_record(record)
    assert isinstance(message, FactRuns)
    assert message.study == "T"
    assert [(k.seq, k.message, k.received_at, k.fact) for k in message.facts] == [
        (1, "m1", HOUR_ZERO, FACTS[0]),
        (2, "m1", HOUR_ZERO, FACTS[1]),
        (3, "m2", hours(2), FACTS[0]),
    ]


def test_a_record_of_the_version_before_is_read():
    assert isinstance(read_facts_record(alter_record(version=VERSION - 1)), FactRuns)


def test_what_a_later_release_adds_does_not_stop_the_reader_of_this_version():
    assert isinstance(read_facts_record(alter_record(origin="new")), FactRuns)


def test_what_a_later_release_adds_to_a_fact_does_not_stop_it_either():
    later_key = '"later_key":{"by":["a","later"]},'
    payload = make_record(*FACTS)
    for place in ('"id":', '"measure":', '"unit":'):
        assert place in payload
        payload = payload.replace(place, f"{later_key}{place}")
    read = read_facts_record(write_facts_record("T", [payload]))
    assert tuple(entry.fact for entry in read.facts) == FACTS


@pytest.mark.parametrize(
    "record",
    [
        alter_record(version=VERSION + 1),
        alter_record(version=VERSION + 1, runs={"another": "form"}),
        json.dumps({"version": VERSION + 3}).encode(),
    ],
)
def test_a_newer_record_is_no_damage(record):
    assert isinstance(read_facts_record(record), NewerRecord)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b'{"version": "7"}',
        alter_record(schema="aegis.other"),
        alter_record(version=VERSION - 2),
        alter_record(runs=[{"message": "m"}]),
        alter_record(runs=[json.loads(make_record(FACTS[0])) | {"facts": [[1, {"id": "f"}]]}]),
        write_standings_record("T"),
        write_alert_record("T", "{}"),
    ],
)
def test_what_is_no_record_of_facts_says_where(record):
    problem = read_facts_record(record)
    assert isinstance(problem, Unreadable)
    assert problem.problem


def announcement(number, topic, key, payload="{}"):
    return Announcement(number, topic, key, payload, HOUR_ZERO)


def test_facts_of_one_participant_share_a_record_in_their_order():
    rows = [
        announcement(1, topic_names.FACTS, "P-1", make_record(FACTS[0])),
        announcement(2, topic_names.FACTS, "P-2", make_record(FACTS[0])),
        announcement(3, topic_names.FACTS, "P-1", make_record(FACTS[1], message="m2", first=2)),
    ]
    records = list(pack_records("T", rows))
    assert [(one.topic, one.key) for one in records] == [
        (topic_names.FACTS, "P-1"),
        (topic_names.FACTS, "P-2"),
    ]
    assert [k.seq for k in read_facts_record(records[0].value).facts] == [1, 2]


def test_a_record_ends_between_messages_before_it_is_too_long():
    payload = make_record(*FACTS)
    count = 3 * LONGEST // len(payload)
    rows = [announcement(n, topic_names.FACTS, "P-1", payload) for n in range(count)]
    records = list(pack_records("T", rows))
    assert 3 <= len(records) <= 4
    assert all(len(one.value) < LONGEST + 200 for one in records)
    assert sum(len(read_facts_record(one.value).facts) for one in records) == 2 * count


def test_a_study_is_looked_at_again_once_and_every_alert_is_told():
    rows = [
        announcement(1, topic_names.STANDINGS, "T"),
        announcement(2, topic_names.ALERTS, "T", '{"id": "a1"}'),
        announcement(3, topic_names.STANDINGS, "T"),
        announcement(4, topic_names.ALERTS, "T", '{"id": "a2"}'),
    ]
    records = list(pack_records("T", rows))
    assert [one.topic for one in records] == [
        topic_names.ALERTS,
        topic_names.ALERTS,
        topic_names.STANDINGS,
    ]
    assert [json.loads(one.value)["alert"]["id"] for one in records[:2]] == ["a1", "a2"]


def test_a_row_for_no_topic_is_refused():
    with pytest.raises(ValueError, match=r"row 9 of the outbox is for 'aegis.else'"):
        list(pack_records("T", [announcement(9, "aegis.else", "P-1")]))


def test_a_message_that_is_too_long_for_a_record_is_only_a_hint(tmp_path):
    db, _ = new_database(tmp_path)
    db.close()
    relayed_db = type(db).open(db.url, has_relay=True)
    payload = write_fact(FACTS[0]).decode()
    count = outbox.LONGEST // len(payload) + 1
    rows = [
        {
            "subject": "P-1",
            "message": "m1",
            "received_at": HOUR_ZERO,
            "seq": seq,
            "payload": payload,
        }
        for seq in range(1, count + 1)
    ]
    with relayed_db.write() as conn:
        announce_facts(conn, rows)
        announce_facts(conn, [row | {"message": "m2"} for row in rows[:3]])
    with relayed_db.read() as conn:
        announcements = outbox.load_announcements(conn, 0, 10)
    relayed_db.close()
    records = [read_facts_record(one.value) for one in pack_records("T", announcements[:1])]
    assert [(found.facts, found.is_whole) for found in records] == [((), False)]
    assert len(json.loads(announcements[1].payload)["facts"]) == 3


def test_lines_about_one_and_another_in_turn_are_one_payload_for_each(tmp_path):
    db, _ = new_database(tmp_path)
    db.close()
    relayed_db = type(db).open(db.url, has_relay=True)
    payload = write_fact(FACTS[0]).decode()
    columns = {"message": "m1", "received_at": HOUR_ZERO, "payload": payload}
    rows = [columns | {"subject": who, "seq": seq} for seq in (1, 2, 3) for who in ("P-1", "P-2")]
    with relayed_db.write() as conn:
        announce_facts(conn, rows)
    with relayed_db.read() as conn:
        announcements = outbox.load_announcements(conn, 0, 10)
    relayed_db.close()
    assert [one.key for one in announcements] == ["P-1", "P-2"]
    for record in pack_records("T", announcements):
        assert [k.seq for k in read_facts_record(record.value).facts] == [1, 2, 3]
