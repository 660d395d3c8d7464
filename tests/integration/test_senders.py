"""A fact is about a participant of its sender, and of a kind that its sender may say."""

import json
from dataclasses import replace

import pytest

from services.ingest import parked_items
from services.ingest.domain.site import Sites
from services.ingest.enrolment import import_participants
from tests.helpers.hl7_messages import NORTH, PID, RHEIN, labs, message, obx
from tests.helpers.intake import (
    PEOPLE,
    feed_facts,
    list_parked,
    new_intake,
    people,
    post_content,
    submit,
)

MESSAGE = labs(obx("0.49"), control_id="M1")


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


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
    "enrolment": {"site": "rhein", "weight_kg": "70"},
}


@pytest.mark.parametrize("kind", ONLY_PEOPLE)
def test_a_feed_cannot_send_what_only_people_decide(intake, kind):
    body = json.dumps({"kind": kind, **ONLY_PEOPLE[kind]})
    content = (FACT % "P-001").replace('{"kind": "relapse"}', body).encode()
    response = post_content(intake, "/v1/facts", content)
    (item,) = response.json()["parked"]
    assert (response.json()["facts"], item["reason"]) == (0, "unsupported-message")
    assert "for people to enter" in item["detail"]


def test_an_operator_enters_an_enrolment(intake):
    body = json.dumps({"kind": "enrolment", "site": "north", "weight_kg": "70"})
    content = (FACT % "P-001").replace('{"kind": "relapse"}', body).encode()
    assert submit(intake, content, form="facts", actor="operator").facts == 1


@pytest.mark.parametrize(
    ("named_site", "parked"),
    [("", []), ("north", []), ("North", ["wrong-site"]), ("rhein", ["wrong-site"])],
)
def test_a_line_that_names_another_site_than_its_sender_is_parked(intake, named_site, parked):
    content = (FACT % "P-001").replace("{", json.dumps({"site": named_site})[:-1] + ", ", 1)
    answer = post_content(intake, "/v1/facts", content.encode()).json()
    assert [item["reason"] for item in answer["parked"]] == parked
    assert [fact.site for fact in feed_facts(intake, "P-001")] == ["north"] * (not parked)


def test_parked_lines_are_answered_in_their_order(intake):
    content = "\n".join([FACT % "P-002", "no fact", FACT % "P-003"])
    answer = post_content(intake, "/v1/facts", content.encode()).json()
    assert [item["where"] for item in answer["parked"]] == ["line 1", "line 2", "line 3"]
    assert [line["line"] for line in answer["lines"]] == [1, 2, 3]


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
