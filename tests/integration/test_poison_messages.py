"""A message that fails for what it is is kept and parked, on both databases alike.

Its sender is answered AA, for it can do nothing, and the messages beside it are stored.
"""

import json
from random import Random

import pytest

from services.ingest import parked_items
from services.ingest.domain.hl7.acknowledgement import AckCode
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.runtime import wire
from services.store import journal
from services.store.session import DatabaseError
from services.vocabulary.printable_text import escape_unprintable
from tests.helpers.hl7_messages import OBR, PID, labs, message, obx
from tests.helpers.intake import (
    PEOPLE,
    count_feed_messages,
    feed_facts,
    list_parked,
    new_intake,
    new_postgres_intake,
    people,
)

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def intake(request, tmp_path):
    """An intake on each database."""
    if request.param == "sqlite":
        intake = new_intake(tmp_path)
    else:
        intake = new_postgres_intake(request.getfixturevalue("postgres").url, tmp_path)
    yield intake
    intake.db.close()


def accept(intake, raw, form="hl7v2"):
    """The outcome of one message over HTTP."""
    (outcome,) = intake.accept([Submission(raw, "http", "north", form=form)])
    return outcome


def result_of_code(code):
    """A result under a *code* that nobody knows."""
    return labs(obx("1", "mg/dL", code=f"{code}^a^L"))


def drug(code):
    """A dose of a drug of *code*."""
    rxa = f"RXA|0|1|20260301080000||{code}|8|ug/d|||||||||||||CP"
    return message(PID, "ORC|RE||D\0", rxa, kind="RAS^O17")


UNKNOWN_CODE, UNREADABLE_VALUE = ("unknown-code", "OBX[1].3"), ("unreadable-value", "OBX[1].5")
UNKNOWN_UNIT, NOT_READ = ("unknown-unit", "OBX[1].6"), ("unsupported-message", "MSH.9")
STRANGER = ("unknown-participant", "PID[1].3")
LONG_ID = "".join(Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=3800))

# messages, the number of their facts, and what is parked of them
MESSAGES = {
    "MSH-13 of 18 digits": (labs(obx("0.49"), tail="|" + "9" * 18), 1, []),
    "MSH-13 of 19 digits": (labs(obx("0.49"), tail="|" + "9" * 19), 1, []),
    "MSH-13 of 5,000 digits": (labs(obx("0.49"), tail="|" + "9" * 5000), 1, []),
    "NUL in OBX-3, escaped": (result_of_code(r"Z\X00\Z"), 0, [UNKNOWN_CODE]),
    "NUL in OBX-3": (result_of_code("Z\0Z"), 0, [UNKNOWN_CODE]),
    "two bytes in OBX-3, one NUL": (result_of_code(r"Z\X4100\Z"), 0, [UNKNOWN_CODE]),
    "control characters in OBX-3": (result_of_code("Z\x07\x1bZ"), 0, [UNKNOWN_CODE]),
    "OBX-3 of 100,000": (result_of_code("Z" * 100_000), 0, [UNKNOWN_CODE]),
    "NUL in OBX-5": (labs(obx("0.49\0")), 0, [UNREADABLE_VALUE]),
    "NUL in OBX-5, escaped": (labs(obx(r"\X00\0.49", kind="ST")), 0, [UNREADABLE_VALUE]),
    "an exponent of 99": (labs(obx("1E99")), 1, []),
    "an exponent of 100": (labs(obx("1E100")), 0, [UNREADABLE_VALUE]),
    "a huge exponent": (labs(obx("1E+1000000000000000000")), 0, [UNREADABLE_VALUE]),
    "OBX-5 of 5,000 digits": (labs(obx("9" * 5000)), 0, [UNREADABLE_VALUE]),
    "NUL in OBX-6": (labs(obx("1", "m\0g")), 0, [UNKNOWN_UNIT]),
    "NUL in MSH-9": (labs(obx("1"), kind="OR\0^R01"), 0, [NOT_READ]),
    "NUL in MSH-10": (labs(obx("0.49"), control_id="A\0B"), 1, []),
    "NUL in MSH-10, escaped": (labs(obx("0.49"), control_id=r"A\X00\B"), 1, []),
    "MSH-10 of 3,800": (labs(obx("0.49"), control_id=LONG_ID), 1, []),
    "NUL in PID-3": (message(PID.replace("QX4711", "QX\0"), OBR, obx("1")), 0, [STRANGER]),
    "NUL in OBR-3": (message(PID, OBR.replace("ORD1", "O\0"), obx("1")), 1, []),
    "NUL in RXA-5": (drug("blina\0"), 0, [("unknown-code", "RXA[1].5")]),
    "NUL in ORC-3": (drug("blinatumomab"), 1, []),
    "a time of 5,000 digits": (
        labs(obx("1", observed_at="9" * 5000)),
        0,
        [("unreadable-time", "OBX[1].14")],
    ),
}


def describe_outcome(outcome):
    """Answer, number of facts, and reason and path of what is parked."""
    return outcome.answer, outcome.facts, [(str(item.reason), item.path) for item in outcome.parked]


def check_details(intake):
    """Check that what is parked is short, and shows every mark."""
    for item in parked_items.list_parked(intake):
        assert escape_unprintable(item.detail) == item.detail
        assert len(item.detail) < 200


def test_whatever_stands_in_a_message_it_is_kept_and_what_is_good_in_it_used(intake):
    outcomes = {name: accept(intake, raw) for name, (raw, *_) in MESSAGES.items()}
    assert {name: describe_outcome(one) for name, one in outcomes.items()} == {
        name: (AckCode.ACCEPT, *expected) for name, (_, *expected) in MESSAGES.items()
    }
    assert not [fact for fact in feed_facts(intake) if r"\x00" in repr(fact)]
    check_details(intake)
    assert all(accept(intake, raw).duplicate for raw, *_ in MESSAGES.values())
    assert count_feed_messages(intake) == len(MESSAGES)


def fact_line(value="141", **fields):
    """A line with one fact; *fields* replace those of the fact."""
    body = {"kind": "observation", "measure": "sodium"}
    entries = {
        "subject": "P-001",
        "observed_at": "2026-03-01T08:00:00Z",
        "body": {**body, "value": {"value": value, "unit": "mmol/L"}},
    }
    return json.dumps(entries | fields)


BAD_LINES = {
    "an exponent of 1,000": fact_line("1E+1000"),
    "an exponent of 10^18": fact_line("1E+1000000000000000000"),
    "an exponent of twenty digits": fact_line("9E+99999999999999999999"),
    "NUL in the subject": fact_line(subject="P-\0"),
    "NUL in a note": fact_line(notes=["a\0"]),
    "NUL in a series, behind an escaped backslash": fact_line(series="a\\\0"),
    "NUL in the name of a key": fact_line(**{"\0": 1}),
    "half of a surrogate pair": fact_line(series="\ud800"),
    "a sequence beyond 64 bits": fact_line(sequence=2**63),
    "a number of 5,000 digits": fact_line(sequence=1).replace(": 1}", f": {'9' * 5000}}}"),
    "a key of 100,000": fact_line(**{"k" * 100_000: 1}),
    "deeply nested": "[" * 100_000,
    "latin-1": fact_line().replace("sodium", "s\N{LATIN SMALL LETTER O WITH DIAERESIS}d"),
}


def test_the_good_lines_of_a_body_are_stored_beside_a_bad_one(intake):
    bodies = {
        name: f"{fact_line(str(n))}\n{line}\n{fact_line(f'{n}.5')}"
        for n, (name, line) in enumerate(BAD_LINES.items())
    }
    outcomes = {
        name: accept(intake, body.encode("latin-1"), "facts") for name, body in bodies.items()
    }
    assert {name: describe_outcome(one) for name, one in outcomes.items()} == dict.fromkeys(
        BAD_LINES, (AckCode.ACCEPT, 2, [("unreadable-line", "line 2")])
    )
    check_details(intake)
    assert len(feed_facts(intake)) == 2 * len(BAD_LINES)


NEIGHBOURS = {
    "an exponent of 999": fact_line("1E+999"),
    "a sequence of 64 bits": fact_line(sequence=2**63 - 1),
    "the letters of an escape": fact_line(series="\\u0000"),
    "a control character": fact_line(series="\x07"),
}


def test_what_both_databases_take_is_stored(intake):
    outcomes = {name: accept(intake, line.encode(), "facts") for name, line in NEIGHBOURS.items()}
    assert {name: describe_outcome(one) for name, one in outcomes.items()} == dict.fromkeys(
        NEIGHBOURS, (AckCode.ACCEPT, 1, [])
    )


FAILURES = {
    "a fault of a reader": ValueError("Exceeds the limit (4300 digits)"),
    "a number beyond": OverflowError(),
    "a deep recursion": RecursionError(),
}
POISON, GOOD = labs(obx("0.49"), control_id="BAD"), labs(obx("0.5"), control_id="GOOD")


def fail_for(append, error, times=99):
    """An `append_arrivals` that raises *error* so many times for facts of message ``BAD``."""
    errors = [error] * times

    def append_or_fail(conn, keys, arrivals):
        if errors and any(one.facts and one.message.control_id == "BAD" for one in arrivals):
            raise errors.pop()
        append(conn, keys, arrivals)

    return append_or_fail


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
def test_what_nobody_foresaw_is_kept_and_parked_until_it_can_be_read(intake, error, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(journal, "append_arrivals", fail_for(journal.append_arrivals, error))
        outcomes = intake.accept([Submission(raw, "mllp") for raw in (POISON, GOOD)])
        repeated_outcome = intake.accept([Submission(POISON, "mllp")])[0]
    assert [(one.answer, one.facts, one.site) for one in outcomes] == [
        (AckCode.ACCEPT, 0, "north"),
        (AckCode.ACCEPT, 1, "north"),
    ]
    assert repeated_outcome.duplicate
    assert list_parked(intake) == [("not-stored", "message")]
    assert type(error).__name__ in parked_items.list_parked(intake)[0].detail
    retry = parked_items.retry_parked(intake, "operator")
    assert (retry.facts, retry.closed_items, retry.still_parked) == (1, 1, 0)
    assert (count_feed_messages(intake), len(feed_facts(intake))) == (2, 2)


def test_what_still_fails_waits_on_and_the_others_are_read(intake, monkeypatch):
    with monkeypatch.context() as patch:
        fails = fail_for(journal.append_arrivals, ValueError())
        patch.setattr(journal, "append_arrivals", fails)
        accept(intake, POISON)
    accept(intake, message(PID.replace("QX4711", "QX4712"), obx("0.49"), control_id="M2"))

    def fail(*_):
        raise ValueError

    monkeypatch.setattr(journal, "append_facts", fail)
    retry = parked_items.retry_parked(intake, "operator")
    assert (retry.facts, retry.closed_items, retry.still_parked) == (0, 0, 2)
    assert len(list_parked(intake)) == 2


def fail_for_values(append, values, error=None):
    """An `append_arrivals` that fails for facts with one of *values*."""

    def append_or_fail(conn, keys, arrivals):
        append(conn, keys, arrivals)
        for arrival in arrivals:
            for fact in arrival.facts:
                if str(fact.body.value.value) in values:
                    raise error or ValueError

    return append_or_fail


def fail_to_read(read, values):
    """A reader of facts that fails for lines with one of *values*."""

    def read_or_fail(text):
        if any(f'"value": "{value}"' in text for value in values):
            raise OverflowError
        return read(text)

    return read_or_fail


def describe_lines(outcome):
    """Number and result of each line, with the reason of one that is parked."""
    return [
        (one.line, str(one.result), *([str(one.item.reason)] if one.item else []))
        for one in outcome.lines
    ]


STORED_LINE, DUPLICATE_LINE, PARKED_LINE = "stored", "duplicate", "parked"
FAILING_VALUES = {  # of six lines, the fourth of which is no fact; and the lines that are parked
    "the first": ({"1"}, [1]),
    "the last": ({"6"}, [6]),
    "beside the unreadable one": ({"3", "5"}, [3, 5]),
    "all but one": ({"1", "2", "3", "5"}, [1, 2, 3, 5]),
    "all": ({"1", "2", "3", "5", "6"}, [1, 2, 3, 5, 6]),
}
SIX_LINES = "\n".join("oops" if n == 4 else fact_line(str(n)) for n in range(1, 7)).encode()


@pytest.mark.parametrize("fault", ["the database", "the reader"])
@pytest.mark.parametrize(("values", "places"), FAILING_VALUES.values(), ids=FAILING_VALUES)
def test_of_facts_that_fail_for_an_unforeseen_reason_only_those_lines_wait(
    intake, values, places, fault, monkeypatch
):
    unreadable = (4, PARKED_LINE, "unreadable-line")
    with monkeypatch.context() as patch:
        if fault == "the database":
            fails = fail_for_values(journal.append_arrivals, values)
            patch.setattr(journal, "append_arrivals", fails)
        else:
            patch.setattr(wire, "read_fact", fail_to_read(wire.read_fact, values))
        outcome = accept(intake, SIX_LINES, "facts")
        repeated_outcome = accept(intake, SIX_LINES, "facts")
    assert (outcome.answer, outcome.facts) == (AckCode.ACCEPT, 5 - len(places))
    parked = {n: (n, PARKED_LINE, "not-stored") for n in places} | {4: unreadable}
    assert describe_lines(outcome) == [parked.get(n, (n, STORED_LINE)) for n in range(1, 7)]
    assert repeated_outcome.duplicate
    assert describe_lines(repeated_outcome) == [
        parked.get(n, (n, DUPLICATE_LINE)) for n in range(1, 7)
    ]
    assert sorted(list_parked(intake)) == sorted(
        [("unreadable-line", "line 4"), *(("not-stored", f"line {n}") for n in places)]
    )
    retry = parked_items.retry_parked(intake, "operator")
    assert (retry.facts, retry.closed_items, retry.still_parked) == (len(places), len(places), 1)
    assert {str(one.body.value.value) for one in feed_facts(intake)} == set("12356")
    assert count_feed_messages(intake) == 1


def test_a_line_that_still_fails_does_not_hold_up_the_others_of_its_body(intake, monkeypatch):
    later = PEOPLE[0].replace("P-001", "P-003").replace("QX4711", "QX4713")
    body = "\n".join([fact_line("1"), fact_line("2", subject="P-003")])
    with monkeypatch.context() as patch:
        patch.setattr(wire, "read_fact", fail_to_read(wire.read_fact, {"1"}))
        outcome = accept(intake, body.encode(), "facts")
        assert describe_lines(outcome) == [
            (1, PARKED_LINE, "not-stored"),
            (2, PARKED_LINE, "unknown-participant"),
        ]
        import_participants(intake, people(later), "operator")
        retry = parked_items.retry_parked(intake, "operator")
    assert (retry.facts, retry.closed_items, retry.still_parked) == (1, 1, 1)
    assert list_parked(intake) == [("not-stored", "line 1")]
    assert parked_items.retry_parked(intake, "operator").facts == 1


def test_facts_that_fail_for_a_passing_reason_are_to_be_sent_again_whole(intake, monkeypatch):
    error = OSError(28, "full")
    with monkeypatch.context() as patch:
        fails = fail_for_values(journal.append_arrivals, {"3"}, error)
        patch.setattr(journal, "append_arrivals", fails)
        assert accept(intake, SIX_LINES, "facts").answer is AckCode.ERROR
    assert (count_feed_messages(intake), list_parked(intake), feed_facts(intake)) == (0, [], [])
    assert accept(intake, SIX_LINES, "facts").facts == 5


PASSING_ERRORS = {"a full disk": OSError(28, "full"), "a lost connection": DatabaseError("gone")}


@pytest.mark.parametrize("error", PASSING_ERRORS.values(), ids=PASSING_ERRORS)
def test_what_fails_for_a_passing_reason_is_to_be_sent_again(intake, error, monkeypatch):
    monkeypatch.setattr(journal, "append_arrivals", fail_for(journal.append_arrivals, error, 1))
    assert accept(intake, POISON).answer is AckCode.ERROR
    assert (count_feed_messages(intake), list_parked(intake)) == (0, [])
    assert accept(intake, POISON).facts == 1


def test_a_failure_that_does_not_come_twice_parks_nothing(intake, monkeypatch):
    failing_append = fail_for(journal.append_arrivals, ValueError(), 1)
    monkeypatch.setattr(journal, "append_arrivals", failing_append)
    assert accept(intake, POISON).facts == 1
    assert list_parked(intake) == []


CHANGES_OF_OTHERS = {  # what takes something from the database, and what gives it back
    "a right": (
        "REVOKE INSERT ON fact FROM aegis_owner",
        "GRANT INSERT ON fact TO aegis_owner",
    ),
    "a table": ("ALTER TABLE parked RENAME TO parked_2", "ALTER TABLE parked_2 RENAME TO parked"),
    "a column": (
        "ALTER TABLE fact RENAME COLUMN seq TO seq_2",
        "ALTER TABLE fact RENAME COLUMN seq_2 TO seq",
    ),
}


@pytest.mark.server
@pytest.mark.parametrize("change", CHANGES_OF_OTHERS.values(), ids=CHANGES_OF_OTHERS)
def test_what_the_database_lacks_is_no_fault_of_a_message(postgres, tmp_path, change):
    takes, gives_back = change
    intake = new_postgres_intake(postgres.login_url("owner"), tmp_path)
    bodies = [POISON, labs(obx("0.5", "furlongs"), control_id="PARKED")]
    postgres.query(takes)
    outcomes = [accept(intake, body) for body in bodies]
    assert AckCode.ERROR in {one.answer for one in outcomes}
    postgres.query(gives_back)
    assert all(accept(intake, body).answer is AckCode.ACCEPT for body in bodies)
    assert "not-stored" not in dict(list_parked(intake))
    assert len(feed_facts(intake)) == 1
    intake.db.close()
