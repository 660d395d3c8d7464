"""An acknowledged message is on disk, once, encrypted, and about a participant of its sender."""

import io
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete

from services.ingest import parked_items
from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.domain.hl7.frames import frame_message
from services.ingest.domain.site import Sites
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.ingest.lost_messages import find_lost_messages
from services.ingest.metrics import count_outcome
from services.ingest.writer import Writer
from services.runtime import log
from services.runtime.metrics import Metrics
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.store import journal, parking, tables
from services.store.messages import find_damaged_messages
from tests.helpers.hl7_messages import NORTH, PID, RHEIN, labs, message, obx
from tests.helpers.intake import (
    CLOCK_TIME,
    PEOPLE,
    Line,
    count_feed_messages,
    feed_facts,
    list_parked,
    new_intake,
    people,
    post_content,
    serve_mllp,
    submit,
)

MESSAGE = labs(obx("0.49"), control_id="M1")
CORRECTION = labs(obx("0.51", status="C"), control_id="M1")
STRANGER = message(PID.replace("QX4711", "QX4712"), obx("0.49"), control_id="M2")
NEW_CODE = labs(
    obx("0.49", code="NEUTRO^^L"), obx("7", "parts", code="NEUT_ABS^^L"), control_id="M3"
)


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


def test_the_same_message_again_is_acknowledged_and_changes_nothing(intake):
    first, second = submit(intake, MESSAGE), submit(intake, MESSAGE)
    assert (first.answer, first.facts, first.duplicate) == (AckCode.ACCEPT, 1, False)
    assert (second.answer, second.facts, second.duplicate) == (AckCode.ACCEPT, 0, True)
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


def test_the_same_message_twice_in_one_transaction_is_kept_once(intake):
    outcomes = intake.accept([Submission(MESSAGE, "mllp"), Submission(MESSAGE, "mllp")])
    assert [outcome.duplicate for outcome in outcomes] == [False, True]
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


@pytest.mark.parametrize("in_one_transaction", [False, True])
def test_another_message_of_the_same_id_is_kept_too_and_flagged(intake, in_one_transaction):
    if in_one_transaction:
        intake.accept([Submission(MESSAGE, "mllp"), Submission(CORRECTION, "mllp")])
    else:
        assert submit(intake, MESSAGE).answer is submit(intake, CORRECTION).answer is AckCode.ACCEPT
    assert count_feed_messages(intake) == 2
    assert [("MSH-10 was used before" in fact.notes) for fact in feed_facts(intake)] == [
        False,
        True,
    ]


def test_the_same_result_under_a_new_id_is_a_fact_of_the_same_content(intake):
    submit(intake, MESSAGE)
    submit(intake, MESSAGE.replace(b"|M1|", b"|M9|"))
    item, other_item = feed_facts(intake)
    assert (item.digest == other_item.digest, item.id == other_item.id) == (True, False)


def test_ranges_that_are_not_read_are_counted_by_site(intake):
    read, unread = obx("0.49", limits="1.5-7.5"), obx("7", limits="see note", code="777-3^^LN")
    outcome = submit(intake, labs(read, unread))
    assert (outcome.facts, outcome.unread_ranges) == (2, 1)
    metrics = Metrics(CollectorRegistry())
    count_outcome(metrics, outcome)
    assert metrics.registry.get_sample_value("aegis_unread_ranges_total", {"site": "north"}) == 1


def test_a_correction_and_a_deletion_stand_beside_what_they_correct(intake):
    for number, status in enumerate("PFCD"):
        submit(intake, labs(obx("0.49", status=status), control_id=f"S{number}"))
    facts = feed_facts(intake)
    assert [str(fact.status) for fact in facts] == ["P", "F", "C", "D"]
    assert len({(fact.series, fact.observed_at) for fact in facts}) == 1


class _FailingDatabase:
    """A database whose transactions fail at the very end, as many times as it is told."""

    def __init__(self, db, times):
        self.db, self.times = db, times

    def read(self):
        return self.db.read()

    @contextmanager
    def write(self):
        with self.db.write() as conn:
            yield conn
            if self.times:
                self.times -= 1
                raise OSError(28, "No space left on device")


def test_without_a_commit_there_is_no_acknowledgement_and_nothing_is_kept(intake):
    full = replace(intake, db=_FailingDatabase(intake.db, times=1))
    with serve_mllp(full) as port:
        line = Line(port)
        ack = line.say(frame_message(MESSAGE)).answer()
        assert "MSA|AE|M1" in ack
        assert "207^Application internal error^HL70357" in ack
        assert "send it again" in ack
        assert (count_feed_messages(intake), feed_facts(intake)) == (0, [])
        assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


class _Slow(_FailingDatabase):
    """A database that commits only when it may."""

    def __init__(self, db):
        super().__init__(db, times=0)
        self.may_commit = threading.Event()

    @contextmanager
    def write(self):
        with self.db.write() as conn:
            yield conn
            assert self.may_commit.wait(10)


def test_nothing_is_acknowledged_before_the_commit(intake):
    slow = _Slow(intake.db)
    with serve_mllp(replace(intake, db=slow)) as port:
        line = Line(port).say(frame_message(MESSAGE))
        assert not line.has_answer(within_s=0.3)
        slow.may_commit.set()
        assert "MSA|AA|M1" in line.answer()
        line.close()


def test_answers_come_in_the_order_of_their_messages(intake):
    names = [f"N{number}" for number in range(600)]
    with serve_mllp(intake) as port:
        line = Line(port)
        line.say(b"".join(frame_message(labs(obx("1"), control_id=name)) for name in names))
        assert [line.answer().split("MSA|AA|")[1].strip() for _ in names] == names
        line.close()


def test_who_no_longer_waits_for_an_answer_does_not_stop_the_writer(intake):
    writer = Writer(intake)
    assert writer.submit(Submission(MESSAGE, "mllp")).cancel() is False
    later = writer.submit(Submission(STRANGER, "mllp"))
    writer.start()
    assert later.result(timeout=10).answer is AckCode.ACCEPT
    writer.stop()


def test_whatever_fails_after_the_commit_the_sender_is_answered_and_the_port_goes_on(intake):
    calls = []

    def count(outcome):
        calls.append(outcome)
        if len(calls) == 1:
            raise ArithmeticError

    with serve_mllp(replace(intake, on_outcome=count)) as port:
        line = Line(port)
        assert "MSA|AE|M1" in line.say(frame_message(MESSAGE)).answer()
        assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (1, 1)


class _FullDisk(io.StringIO):
    """A log that takes no line any more."""

    def write(self, _text):
        raise OSError(28, "No space left on device")


def test_on_a_disk_that_takes_no_line_of_the_log_the_sender_is_answered(intake):
    full = replace(intake, db=_FailingDatabase(intake.db, times=1))
    log.configure_logging(as_json=True, stream=_FullDisk())
    with serve_mllp(full) as port:
        line = Line(port)
        assert "MSA|AE|M1" in line.say(frame_message(MESSAGE)).answer()
        assert "MSA|AA|M1" in line.say(frame_message(MESSAGE)).answer()
        line.close()
    assert count_feed_messages(intake) == 1


def test_over_http_a_failed_commit_is_service_unavailable(intake):
    full = replace(intake, db=_FailingDatabase(intake.db, times=1))
    response = post_content(full, "/v1/hl7v2", MESSAGE)
    assert (response.status_code, "MSA|AE|M1" in response.text) == (503, True)
    assert count_feed_messages(intake) == 0


def test_one_that_cannot_be_stored_does_not_lose_those_beside_it(intake):
    failing_intake = replace(
        intake, db=_FailingDatabase(intake.db, times=2)
    )  # all together, then the first alone
    outcomes = failing_intake.accept([Submission(MESSAGE, "mllp"), Submission(STRANGER, "mllp")])
    assert [outcome.answer for outcome in outcomes] == [AckCode.ERROR, AckCode.ACCEPT]
    assert count_feed_messages(intake) == 1


def test_refused_and_accepted_are_answered_in_the_order_in_which_they_came(intake):
    outcomes = intake.accept(
        [Submission(raw, "mllp") for raw in (b"junk", MESSAGE, b"junk", STRANGER)]
    )
    assert "".join(outcome.answer for outcome in outcomes) == "RARA"


def files_below(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_of_a_message_can_be_read_from_the_files_of_the_database(intake, tmp_path):
    raw = labs(obx("0.49"), "NTE|1||a note about Jane", control_id="M1")
    submit(intake, raw)
    submit(intake, STRANGER)
    content = files_below(tmp_path / "data")
    assert b"neutrophils" in content  # of the fact, by pseudonym
    for secret in (b"QX4711", b"QX4712", b"DOE^JANE", b"about Jane", b"19700101", b"PID|"):
        assert secret not in content, secret


def test_the_original_bytes_are_kept(intake):
    raw = MESSAGE.replace(b"\r", b"\r\n") + b"ZZZ|anything\r\n"
    submit(intake, raw)
    (entry,) = _journal_entries(intake)
    with intake.db.read() as conn:
        assert journal.load_message(conn, intake.keys, entry.message).body == raw
        assert list(find_damaged_messages(lambda: conn, intake.keys)) == []


def _journal_entries(intake):
    with intake.db.read() as conn:
        every = journal.load_facts_between(conn, "P-001", 0)
    return [one for one in every if one.fact.body.kind == "observation"]


def test_a_participant_added_later_gets_the_results_that_waited(intake):
    assert submit(intake, STRANGER).facts == 0
    assert list_parked(intake) == [("unknown-participant", "PID[1].3")]
    assert parked_items.retry_parked(intake, "operator").still_parked == 1
    later = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4712")
    assert import_participants(intake, people(later), "operator").added_count == 1
    steps = parked_items.retry_parked(intake, "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (1, 1, 0)
    assert (len(feed_facts(intake, "P-003")), list_parked(intake)) == (1, [])


def test_a_mapping_added_later_makes_facts_of_what_waited_and_only_of_that(intake):
    submit(intake, labs(obx("7"), obx("0.49", code="NEUTRO^^L"), control_id="M3"))
    assert (len(feed_facts(intake)), list_parked(intake)) == (1, [("unknown-code", "OBX[2].3")])
    mapped_site = replace(NORTH, codes={"NEUTRO": "neutrophils"})
    wiser = replace(intake, sites=Sites.build((mapped_site, RHEIN)))
    steps = parked_items.retry_parked(wiser, "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (1, 1, 0)
    assert (len(feed_facts(intake)), list_parked(intake)) == (2, [])
    assert parked_items.retry_parked(wiser, "operator").facts == 0


def test_what_still_cannot_be_used_waits_under_its_new_reason(intake):
    submit(intake, labs(obx("7", "parts", code="NEUTRO^^L")))
    wiser = replace(
        intake, sites=Sites.build((replace(NORTH, codes={"NEUTRO": "neutrophils"}), RHEIN))
    )
    steps = parked_items.retry_parked(wiser, "operator")
    assert (steps.facts, steps.closed_items, steps.still_parked) == (0, 1, 1)
    assert list_parked(intake) == [("unknown-unit", "OBX[1].6")]


def test_a_result_of_the_future_is_a_fact_when_its_time_has_come(intake):
    submit(intake, labs(obx("0.49", observed_at="20260302150000+0000")))
    assert parked_items.retry_parked(intake, "operator").facts == 0
    tomorrow = replace(intake, clock=lambda: CLOCK_TIME + timedelta(days=1))
    assert parked_items.retry_parked(tomorrow, "operator").facts == 1


def test_what_is_discarded_waits_no_longer_and_its_message_stays(intake):
    submit(intake, STRANGER)
    (row,) = parked_items.list_parked(intake)
    assert parked_items.discard_parked(intake, [row.id], "operator", "a test patient") == 1
    assert (list_parked(intake), count_feed_messages(intake)) == ([], 1)
    assert parked_items.retry_parked(intake, "operator").facts == 0


def discard_item(intake, path):
    """Set the open item at *path* aside."""
    ids = [row.id for row in parked_items.list_parked(intake) if row.path == path]
    assert parked_items.discard_parked(intake, ids, "operator", "not this patient") == 1


def results(intake, subject="P-001"):
    return [str(fact.body.value.value) for fact in feed_facts(intake, subject)]


OTHER_PEOPLE = [
    PEOPLE[0].replace("P-001", f"P-10{n}").replace("QX4711", f"QX{n}") for n in (1, 2, 3)
]


def enter_fact(*, values, control_id="M7"):
    """One message with a result of each patient, by number: of OTHERS, or 0 for P-001."""
    subject = {n: PID if n == 0 else PID.replace("QX4711", f"QX{n}") for n in values}
    return message(
        *(s for n in values for s in (subject[n], obx(values[n]))), control_id=control_id
    )


def all_parked(intake):
    with intake.db.read() as conn:
        rows = parking.load_parked(conn, still_open=False)
    return {(row.path, row.resolution) for row in rows}


def test_a_discarded_line_is_no_fact_when_the_others_are_read_again(intake):
    lines = [(FACT % "P-001").replace("03-01T08", f"03-05T0{hour}") for hour in (8, 8, 9)]
    post_content(intake, "/v1/facts", "\n".join(lines).encode())
    discard_item(intake, "line 2")  # the same as line 1
    later = replace(intake, clock=lambda: CLOCK_TIME + timedelta(days=7))
    assert parked_items.retry_parked(later, "operator").facts == 1
    assert [fact.observed_at.hour for fact in feed_facts(intake)] == [9]
    assert all_parked(intake) == {("line 2", "discarded"), ("line 3", "retried")}


DISCARDED_PATHS = {
    "its code": (obx("0.49", code="NEUTRO^^L"), "OBX[1].3"),
    "its time": (obx("0.49", observed_at="20260302150000+0000"), "OBX[1]"),
}


@pytest.mark.parametrize(("wrong", "path"), DISCARDED_PATHS.values(), ids=DISCARDED_PATHS)
def test_a_discarded_result_is_no_fact_when_the_others_are_read_again(intake, wrong, path):
    submit(intake, labs(wrong, obx("7", code="X^^L"), control_id="M3"))
    discard_item(intake, path)
    mapped_site = replace(NORTH, codes=dict.fromkeys(("NEUTRO", "X"), "neutrophils"))
    later = CLOCK_TIME + timedelta(days=1)
    wiser = replace(intake, sites=Sites.build((mapped_site, RHEIN)), clock=lambda: later)
    assert parked_items.retry_parked(wiser, "operator").facts == 1
    assert results(intake) == ["7"]
    assert all_parked(intake) == {(path, "discarded"), ("OBX[2].3", "retried")}


def test_what_is_discarded_with_its_code_does_not_wait_for_its_unit(intake):
    submit(intake, labs(obx("0.49", "parts", code="NEUTRO^^L"), obx("7", code="X^^L")))
    discard_item(intake, "OBX[1].3")
    mapped_site = replace(NORTH, codes={"NEUTRO": "neutrophils"})
    assert (
        parked_items.retry_parked(
            replace(intake, sites=Sites.build((mapped_site, RHEIN))), "operator"
        ).still_parked
        == 1
    )
    assert list_parked(intake) == [("unknown-code", "OBX[2].3")]


def test_a_correction_stands_whose_unreadable_value_was_discarded(intake):
    submit(intake, message(PID.replace("QX4711", "QX1"), obx("clotted", status="C")))
    discard_item(intake, "OBX[1].5")
    import_participants(intake, people(OTHER_PEOPLE[0]), "operator")
    assert parked_items.retry_parked(intake, "operator").facts == 1
    assert [fact.body.value for fact in feed_facts(intake, "P-101")] == [None]


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_unknown_patients_the_discarded_one_stays_discarded(intake, first):
    submit(intake, enter_fact(values={1: "1", 2: "2"}))
    discard_item(intake, "PID[1].3")
    for number in (first, 3 - first):
        import_participants(intake, people(OTHER_PEOPLE[number - 1]), "operator")
        parked_items.retry_parked(intake, "operator")
    assert (results(intake, "P-101"), results(intake, "P-102")) == ([], ["2"])
    assert all_parked(intake) == {("PID[1].3", "discarded"), ("PID[2].3", "retried")}


def test_the_number_of_an_unknown_patient_does_not_depend_on_who_is_known(intake):
    submit(intake, enter_fact(values={0: "0", 1: "1", 2: "2"}))
    assert all_parked(intake) == {("PID[2].3", ""), ("PID[3].3", "")}
    import_participants(intake, people(OTHER_PEOPLE[0]), "operator")
    assert parked_items.retry_parked(intake, "operator").closed_items == 1
    assert list_parked(intake) == [("unknown-participant", "PID[3].3")]


def numbered_as_before(intake):
    """Give what waits the paths of an older version: the n-th unknown patient."""
    with intake.db.write() as conn:
        unknown = [row for row in parking.load_parked(conn) if row.path.startswith("PID")]
        conn.execute(delete(tables.parked).where(tables.parked.c.id.in_([r.id for r in unknown])))
        for number, row in enumerate(sorted(unknown, key=lambda row: row.path), 1):
            parking.park_items(conn, [replace(row, id=str(uuid4()), path=f"PID.3[{number}]")])


@pytest.mark.parametrize("first_value", ["0", ""])
def test_what_an_older_version_numbered_otherwise_is_neither_lost_nor_entered(intake, first_value):
    values = {0: first_value, 1: "1", 2: "2", 3: "3"} if first_value else {1: "1", 2: "2", 3: "3"}
    submit(intake, enter_fact(values=values))
    numbered_as_before(intake)
    discard_item(intake, "PID.3[2]")
    assert parked_items.retry_parked(intake, "operator").still_parked == 2
    assert sorted(path for _, path in list_parked(intake)) == ["PID.3[1]", "PID.3[3]"]
    for other_item in OTHER_PEOPLE:
        import_participants(intake, people(other_item), "operator")
        parked_items.retry_parked(intake, "operator")
    assert [results(intake, f"P-10{n}") for n in (1, 2, 3)] == [["1"], [], ["3"]]
    assert list_parked(intake) == []


def test_where_nobody_can_say_whom_an_older_version_meant_they_wait_again(intake):
    stranger = PID.replace("QX4711", "QX1")
    submit(intake, message(PID, obx("9", code="X^^L"), stranger, obx("1")))
    numbered_as_before(intake)
    mapped_site = replace(NORTH, codes={"X": "neutrophils"})
    steps = parked_items.retry_parked(
        replace(intake, sites=Sites.build((mapped_site, RHEIN))), "operator"
    )
    assert (steps.facts, list_parked(intake)) == (1, [("unknown-participant", "PID[2].3")])


def test_what_waits_for_a_reason_of_before_is_parked_again(intake):
    submit(intake, labs(obx("7", "parts", code="NEUTRO^^L")))
    mapped_site = replace(NORTH, codes={"NEUTRO": "neutrophils"})
    wiser = replace(intake, sites=Sites.build((mapped_site, RHEIN)))
    for item, place in ((wiser, ".6"), (intake, ".3"), (wiser, ".6"), (intake, ".3")):
        assert parked_items.retry_parked(item, "operator").closed_items == 1
        assert [path for _, path in list_parked(intake)] == [f"OBX[1]{place}"]


def test_two_participants_in_one_message_are_parked_each_for_itself(intake):
    raw = message(PID, obx("1"), PID.replace("QX4711", "88"), obx("2"), obx("3"))
    assert submit(intake, raw).facts == 1
    (row,) = parked_items.list_parked(intake)
    assert (row.reason, row.detail.split()[0]) == ("unknown-participant", "2")


def test_identifiers_of_two_participants_are_ambiguous(intake):
    later = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4712")
    import_participants(intake, people(later), "operator")
    raw = message("PID|1||QX4711^^^NMRN^MR~QX4712^^^NMRN^MR", obx("1"))
    assert submit(intake, raw).facts == 0
    assert list_parked(intake) == [("ambiguous-participant", "OBX[1]")]


FACT = '{"subject": "%s", "observed_at": "2026-03-01T08:00:00Z", "body": {"kind": "relapse"}}'


@pytest.mark.parametrize(
    ("site", "subject", "facts"),
    [("north", "P-001", 1), ("north", "P-002", 0), ("rhein", "P-002", 1)],
)
def test_a_site_can_send_facts_for_its_own_participants_only(intake, site, subject, facts):
    response = post_content(intake, "/v1/facts", (FACT % subject).encode(), site)
    assert (response.status_code, response.json()["facts"]) == (200, facts)
    assert len(feed_facts(intake, subject)) == facts
    assert list_parked(intake) == ([] if facts else [("unknown-participant", "line 1")])


def test_a_site_can_send_messages_as_itself_only(intake):
    assert post_content(intake, "/v1/hl7v2", MESSAGE, "north").status_code == 200
    assert post_content(intake, "/v1/hl7v2", MESSAGE, "rhein").status_code == 422


def test_one_site_cannot_name_the_participant_of_another(tmp_path):
    shared_site = replace(RHEIN, authorities={"PATNR": "MR", "NMRN": "MR"})
    intake = replace(new_intake(tmp_path), sites=Sites.build((NORTH, shared_site)))
    raw = message(PID, obx("0.49"), sender="ORBIS|RHEIN")
    assert submit(intake, raw).facts == 0
    assert list_parked(intake) == [("unknown-participant", "PID[1].3")]


ONLY_PEOPLE = {
    "merge": {"gone": "P-001", "survivor": "P-002"},
    "move": {"source": "P-001", "target": "P-002"},
    "adjudication": {
        "criterion": "c",
        "verdict": "reject",
        "by": "x",
        "reason": "y",
        "signed_at": "2026-03-01T08:00:00Z",
    },
}


@pytest.mark.parametrize("kind", ONLY_PEOPLE)
def test_a_feed_cannot_send_what_only_people_decide(intake, kind):
    body = json.dumps({"kind": kind, **ONLY_PEOPLE[kind]})
    content = (FACT % "P-001").replace('{"kind": "relapse"}', body).encode()
    response = post_content(intake, "/v1/facts", content)
    (item,) = response.json()["parked"]
    assert (response.json()["facts"], item["reason"]) == (0, "unsupported-message")
    assert "for people to enter" in item["detail"]


def test_the_same_facts_again_are_a_duplicate(intake):
    first, second = (
        post_content(intake, "/v1/facts", (FACT % "P-001").encode()).json() for _ in "12"
    )
    assert (first["facts"], first["duplicate"]) == (1, False)
    assert (second["facts"], second["duplicate"]) == (0, True)


def test_a_fact_that_names_itself_is_known_again_in_another_message(intake):
    fact = (FACT % "P-001").replace("{", '{"id": "relapse-1", ', 1)
    assert post_content(intake, "/v1/facts", fact.encode()).json()["facts"] == 1
    assert (
        post_content(intake, "/v1/facts", f"{fact}\n{FACT % 'P-001'}".encode()).json()["facts"] == 1
    )


def test_a_participant_imported_again_is_corrected_and_not_doubled(intake):
    second = import_participants(intake, people(PEOPLE[0]), "operator")
    assert (second.added_count, second.changed_count, second.wrong) == (0, 0, ())
    moved_facts = PEOPLE[0].replace("2026-01-01T10:00", "2026-01-03T10:00")
    assert import_participants(intake, people(moved_facts), "operator").changed_count == 1
    with intake.db.read() as conn:
        transplants = [one.fact for one in journal.load_facts_of_kind(conn, "transplant", "P-001")]
    assert [(str(f.status), f"{f.observed_at:%d %H:%M}") for f in transplants] == [
        ("F", "01 15:00"),
        ("C", "03 15:00"),
    ]


@pytest.mark.parametrize("minutes", [(0, 0, 0), (0, 1, 2), (60, 5, 10)])  # of the clock: set back
@pytest.mark.parametrize(
    "corrected_line",
    [
        PEOPLE[0].replace("haploidentical", "cord"),
        PEOPLE[0].replace("2026-01-01T10:00", "2026-01-03T10:00"),
        PEOPLE[0].replace("70.5", "70.4"),
    ],
)
def test_the_last_of_several_imports_stands_also_when_it_says_what_an_earlier_did(
    intake, minutes, corrected_line
):
    started_at = what_stands(intake)
    for instant, line in zip(minutes, (corrected_line, PEOPLE[0], corrected_line), strict=True):
        intake.clock = lambda instant=instant: CLOCK_TIME + timedelta(minutes=instant)
        assert import_participants(intake, people(line), "operator").changed_count == 1
        assert (what_stands(intake) == started_at) is (line == PEOPLE[0])
        second = import_participants(intake, people(line), "operator")
        assert (second.added_count, second.changed_count, second.wrong) == (0, 0, ())


def test_a_file_that_corrects_itself_changes_nothing_when_it_is_imported_again(intake):
    file = people(PEOPLE[0].replace("70.5", "70.4"), PEOPLE[0].replace("70.5", "70.3"))
    assert import_participants(intake, file, "operator").changed_count == 2
    stands = what_stands(intake)
    assert import_participants(intake, file, "operator").changed_count == 0
    assert what_stands(intake) == stands


FORMERLY_LOST = {
    "a result behind a blank": (labs(f" {obx('0.49')}"), (1, 0)),
    "a result in an update": (message(PID, obx("0.49"), kind="ADT^A08"), (1, 0)),
    "a message without results": (labs(), (0, 1)),
    "an update with nothing": (message(PID, kind="ADT^A08"), (0, 0)),
}


@pytest.mark.parametrize(("raw", "counts"), FORMERLY_LOST.values(), ids=FORMERLY_LOST)
def test_what_an_older_version_read_nothing_in_is_found_and_read_again(intake, raw, counts):
    assert submit(intake, raw, actor="anna").answer == "A"
    with intake.db.write() as conn:  # as if this version had not been there yet
        conn.exec_driver_sql("DELETE FROM parked")
        conn.exec_driver_sql("DELETE FROM fact WHERE kind = 'observation'")
        conn.exec_driver_sql("UPDATE participant SET last_seq = 2 WHERE subject = 'P-001'")
    with intake.db.read() as conn:
        assert len(find_lost_messages(intake, conn)) == sum(counts)
        assert find_lost_messages(intake, conn, "rhein") == []
    result = parked_items.retry_lost(intake, "anna")
    assert (result.facts, result.still_parked) == counts
    assert (len(feed_facts(intake)), len(list_parked(intake))) == counts
    with intake.db.read() as conn:
        assert find_lost_messages(intake, conn) == []


EMPTY_CELLS = {
    "no birth year": (",1970,", ",,"),
    "blanks for a birth year": (",1970,", ",  ,"),
    "the first birth year": (",1970,", ",1900,"),
    "no weight": (",70.5,", ",,"),
    "the least weight": (",70.5,", ",0.001,"),
    "neither": (",1970,70.5,", ",,,"),
    "no donor": ("haploidentical", ""),
    "no sex": (",female,", ",,"),
    "no type of the identifier": (",MR,", ",,"),
    "blanks around": (",NMRN,MR,", ", NMRN , MR ,"),
}


@pytest.mark.parametrize(("cell", "replacement"), EMPTY_CELLS.values(), ids=EMPTY_CELLS)
def test_optional_cells_of_a_participant_may_be_empty(tmp_path, cell, replacement):
    assert cell in PEOPLE[0]
    intake = new_intake(tmp_path, PEOPLE[0].replace(cell, replacement, 1))
    assert submit(intake, MESSAGE).facts == 1
    assert [body.kind for _, body in what_stands(intake)][:2] == ["enrolment", "transplant"]


@pytest.mark.parametrize("file", ["an empty cell", "no column"])
def test_a_participant_without_a_date_of_transplant_is_enrolled(tmp_path, file):
    intake = new_intake(tmp_path)
    line = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4713")
    content = people(line.replace("2026-01-01T10:00", ""))
    if file == "no column":
        content = people(line.replace("2026-01-01T10:00,", "")).replace(b"transplant_at,", b"")
    result = import_participants(intake, content, "operator")
    assert (result.added_count, result.wrong) == (1, ())
    assert [fact.body.kind for fact in every_fact(intake, "P-003")] == ["enrolment"]


def test_an_empty_date_of_transplant_takes_the_imported_one_back_and_a_date_restores_it(intake):
    started_at = what_stands(intake)
    without_date = PEOPLE[0].replace("2026-01-01T10:00", "")
    for line, kinds in (
        (without_date, ["enrolment"]),
        (PEOPLE[0], ["enrolment", "transplant"]),
        (without_date, ["enrolment"]),
        (PEOPLE[0], ["enrolment", "transplant"]),
    ):
        assert import_participants(intake, people(line), "operator").changed_count == 1
        assert import_participants(intake, people(line), "operator").changed_count == 0
        assert [body.kind for _, body in what_stands(intake)] == kinds
    assert what_stands(intake) == started_at


def test_a_file_without_the_column_of_the_transplant_leaves_its_date_as_it_is(intake):
    content = people(PEOPLE[0].replace("2026-01-01T10:00,", "")).replace(b"transplant_at,", b"")
    assert import_participants(intake, content, "operator").changed_count == 0
    assert [body.kind for _, body in what_stands(intake)] == ["enrolment", "transplant"]


def movement(event, instant, ward, visit="V1", **head):
    """A movement without EVN-6 and PV1-44, as most are sent."""
    pv1 = f"PV1|1|I|{ward}^1^1||||||||||||||||{visit}"
    stamp = f"{instant}-0500"
    segments = (f"EVN|{event}|{stamp}", PID, pv1)
    return message(*segments, kind=f"ADT^{event}", control_id=stamp, sent_at=stamp, **head)


CANCELS = {
    "of a transfer": (("A02", "A12"), []),
    "of an admission": (("A01", "A11"), []),
    "of a discharge, which is none": (("A02", "A13"), ["icu"]),
    "of an entry that was wrong": (("A02", "A08"), []),
}


@pytest.mark.parametrize(("events", "destinations"), CANCELS.values(), ids=CANCELS)
def test_a_cancel_undoes_the_movement_whatever_its_own_time_is(intake, events, destinations):
    first_event, second_event = events
    assert submit(intake, movement(first_event, "20260120100000", "MICU")).facts == 1
    assert submit(intake, movement(second_event, "20260120110000", "WARD")).facts == 1
    movements = [body for _, body in what_stands(intake) if body.kind == "movement"]
    assert [body.to for body in movements] == destinations


def every_fact(intake, subject):
    """Every fact of *subject*, in the order of the journal."""
    with intake.db.read() as conn:
        return [one.fact for one in journal.load_facts_between(conn, subject, 0)]


def what_stands(intake):
    """The current facts of P-001 from imports."""
    current_facts = select_current_facts(every_fact(intake, "P-001"))
    return [(fact.observed_at, fact.body) for fact in current_facts]


def test_a_second_transplant_that_was_entered_is_nothing_for_an_import_to_correct(intake):
    second = {"kind": "transplant", "number": 2}
    line = {"subject": "P-001", "observed_at": "2026-02-01T10:00:00Z", "body": second}
    assert submit(intake, json.dumps(line).encode(), form="facts", actor="anna").facts == 1
    outcome = import_participants(intake, people(PEOPLE[0]), "operator")
    assert (outcome.added_count, outcome.changed_count) == (0, 0)


def test_an_identifier_that_leads_to_somebody_else_is_not_taken_over(intake):
    thief = PEOPLE[0].replace("P-001", "P-009")
    (row,) = import_participants(intake, people(thief), "operator").wrong
    assert "already leads to P-001" in row.problem
    assert submit(intake, MESSAGE).facts == 1
