"""The running service takes messages and facts through its ports, and names nobody."""

import json
from contextlib import suppress

import httpx
import pytest

from services.ingest.domain.hl7.frames import LARGEST_BYTES
from services.ingest.facts import schema
from services.ingest.mllp_client import send_messages
from tests.helpers.embedded_service import EmbeddedService
from tests.helpers.hl7_messages import PID, labs, message, obx
from tests.helpers.intake import people

pytestmark = pytest.mark.slow

PERSON = "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"
SENDER = {"sender": "EPIC|NORTH"}
FACT = '{"subject":"P-001","observed_at":"2026-03-01T08:00:00Z","body":{"kind":"relapse"}}'


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    file = folder / "people.csv"
    file.write_bytes(people(PERSON))
    item = EmbeddedService(folder / "data")
    item.command("participants", "import", str(file))
    assert item.start()
    yield item
    assert item.stop() == 0


@pytest.fixture(scope="module")
def north(service):
    key = service.command("sites", "key", "north").strip()
    with httpx.Client(
        base_url=f"http://127.0.0.1:{service.http}", headers={"Authorization": f"Bearer {key}"}
    ) as client:
        yield client


def test_a_message_over_mllp_is_acknowledged(service):
    raw = labs(obx("0.49"), obx("HEMOLYZED", kind="ST"), control_id="1", **SENDER)
    (answer,) = send_messages("127.0.0.1", service.mllp, [raw])
    assert answer.code == "AA"


def test_a_stop_leaves_no_row_without_a_seal(tmp_path):
    file = tmp_path / "people.csv"
    file.write_bytes(people(PERSON))
    service = EmbeddedService(tmp_path / "data")
    service.command("participants", "import", str(file))
    assert service.start()
    messages = [labs(obx("0.49"), control_id=str(number), **SENDER) for number in range(20)]
    assert len(list(send_messages("127.0.0.1", service.mllp, messages))) == len(messages)
    assert service.stop() == 0  # while the rules have still to fold them
    *_, counts = map(json.loads, service.command("verify", "--json").splitlines())
    assert (counts["unsealed"], counts["unsealed_since"]) == (0, None)


def test_a_message_over_http_is_acknowledged(north):
    raw = message(PID.replace("QX4711", "QX99999"), obx("0.49"), control_id="2", **SENDER)
    response = north.post("/v1/hl7v2", content=raw)
    assert (response.status_code, "MSA|AA|2" in response.text) == (200, True)


def test_facts_over_http_are_counted_and_broken_lines_named(north):
    response = north.post("/v1/facts", content=f"{FACT}\noops")
    assert (response.status_code, response.json()["facts"]) == (200, 1)
    assert response.json()["parked"][0]["where"] == "line 2"
    assert north.get("/v1/facts/schema").json() == schema()


def test_what_is_too_long_or_has_no_key_is_refused_and_the_service_goes_on(service, north):
    with suppress(httpx.WriteError):  # it hangs up on the rest
        assert north.post("/v1/hl7v2", content=b"x" * (LARGEST_BYTES + 1)).status_code == 413
    stranger = {"Authorization": "Bearer nobody"}
    raw = labs(obx("0.49"), control_id="3", **SENDER)
    assert north.post("/v1/hl7v2", content=raw, headers=stranger).status_code == 401
    assert north.post("/v1/hl7v2", content=raw).status_code == 200
    service.command("sites", "revoke", "north")
    assert north.post("/v1/hl7v2", content=raw).status_code == 401


def test_what_waits_is_listed_beside_the_running_service_and_nobody_is_named(service):
    parked_list = service.command("parked", "list")
    for reason in ("unreadable-value", "unknown-participant", "unreadable-line"):
        assert reason in parked_list
    text = parked_list + (service.folder.parent / "service.log").read_text()
    for secret in ("QX4711", "QX99999", "DOE", "JANE", "19700101"):
        assert secret not in text
