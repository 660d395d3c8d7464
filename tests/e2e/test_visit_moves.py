"""A visit that was registered on the wrong participant, from the port to the records, and back."""

import json
import time

import pytest

from services.store.journal import count_unhandled
from services.store.session import Database
from tests.helpers.embedded_service import EmbeddedService
from tests.helpers.hl7_messages import header

pytestmark = pytest.mark.slow

PEOPLE = """participant,site,authority,identifier,transplant_at,enrolled_at
P-001,north,NMRN,QX1,2026-01-01T10:00,2025-12-20T09:00
P-002,north,NMRN,QX2,2026-01-01T10:00,2025-12-20T09:00
"""
SENDER = "EPIC|NORTH"
VISIT = "VN-4711"


def pid(mrn):
    return f"PID|1||{mrn}^^^NMRN^MR"


def pv1(visit):
    return "PV1|1|I|BMT" + "|" * 16 + visit


class Feed:
    """Messages of one sender, an hour apart."""

    def __init__(self):
        self.hour = 0

    def send(self, kind, *segments):
        self.hour += 1
        instant = f"202603{1 + self.hour // 24:02d}{self.hour % 24:02d}0000-0500"
        head = header(kind=kind, control_id=f"M{self.hour}", sender=SENDER, sent_at=instant)
        return ("\r".join((head, *segments)) + "\r").replace("@", instant[:12]).encode()

    def dose(self, mrn):
        rxa = "RXA|0|1|@|@|blinatumomab^blinatumomab^L|28|ug/d||start^start^AEGIS|||||||||||CP|A"
        return self.send("RAS^O17", pid(mrn), pv1("VN-0"), f"ORC|RE||B-{mrn}", rxa)

    def potassium(self, mrn, value, visit, order):
        obx = f"OBX|1|NM|2823-3^K^LN||{value}|mmol/L|3.5-5.0||||F|||@"
        return self.send("ORU^R01", pid(mrn), pv1(visit), f"OBR|1||{order}", obx)

    def move(self, source, target):
        mrg = f"MRG|{source}^^^NMRN^MR||||{VISIT}"
        return self.send("ADT^A45", "EVN|A45|@", pid(target), mrg, pv1(VISIT))


@pytest.fixture
def service(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    service = EmbeddedService(tmp_path / "data")
    service.command("participants", "import", str(tmp_path / "people.csv"))
    service.start()
    yield service
    if service.is_alive():
        service.stop()


def records(service):
    """Participant and worst grade of each current record, once everything is graded."""
    db = Database.open(f"sqlite:///{service.folder}/db/aegis.db")
    deadline = time.monotonic() + 60
    while True:
        with db.read() as conn:
            if not count_unhandled(conn):
                break
        assert time.monotonic() < deadline, "the service does not come to rest"
        time.sleep(0.05)
    db.close()
    lines = service.command("records", "--canonical").splitlines()
    return sorted((one["participant"], one["worst"]["at_most"]) for one in map(json.loads, lines))


def test_a_visit_moves_with_its_results_and_moves_back(service):
    feed = Feed()
    first = [
        feed.dose("QX1"),
        feed.dose("QX2"),
        feed.potassium("QX1", "4.0", "VN-0", "O1"),
        feed.potassium("QX1", "6.5", VISIT, "O2"),
    ]
    assert service.feed(first, 0) == len(first)
    assert records(service) == [("P-001", 3)]

    assert service.feed([feed.move("QX1", "QX2")], 0) == 1
    assert records(service) == [("P-002", 3)]
    assert service.feed([feed.potassium("QX1", "7.1", VISIT, "O3")], 0) == 1  # late, under the old
    assert records(service) == [("P-002", 4)]
    (line,) = (one for one in service.command("records").splitlines() if "P-002" in one)
    output = service.command("explain", line.split()[-1])
    assert "potassium 6.5 mmol/L" in output
    assert "sent about P-001" in output
    assert "new (visit moved)" in output
    export_lines = service.command("facts", "export", "--participant=P-001")
    assert VISIT not in export_lines + output

    assert service.feed([feed.move("QX2", "QX1")], 0) == 1
    assert records(service) == [("P-001", 4)]
    history = service.command("records", "--history")
    for cause in ("retracted (visit moved)", "new (visit moved)", "returned (visit moved)"):
        assert cause in history
    assert service.stop() == 0
    assert "nothing found" in service.command("verify")
    assert "the same history" in service.command("replay")
