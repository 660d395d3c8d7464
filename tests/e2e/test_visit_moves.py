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
        at = f"202603{1 + self.hour // 24:02d}{self.hour % 24:02d}0000-0500"
        head = header(kind=kind, control_id=f"M{self.hour}", sender=SENDER, sent_at=at)
        return ("\r".join((head, *segments)) + "\r").replace("@", at[:12]).encode()

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
def served(tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    made = EmbeddedService(tmp_path / "data")
    made.command("participants", "import", str(tmp_path / "people.csv"))
    made.start()
    yield made
    if made.is_alive():
        made.stop()


def records(served):
    """Participant and worst grade of each current record, once everything is graded."""
    db = Database.open(f"sqlite:///{served.folder}/db/aegis.db")
    until = time.monotonic() + 60
    while True:
        with db.read() as conn:
            if not count_unhandled(conn):
                break
        assert time.monotonic() < until, "the service does not come to rest"
        time.sleep(0.05)
    db.close()
    lines = served.command("records", "--canonical").splitlines()
    return sorted((one["participant"], one["worst"]["at_most"]) for one in map(json.loads, lines))


def test_a_visit_moves_with_its_results_and_moves_back(served):
    feed = Feed()
    first = [
        feed.dose("QX1"),
        feed.dose("QX2"),
        feed.potassium("QX1", "4.0", "VN-0", "O1"),
        feed.potassium("QX1", "6.5", VISIT, "O2"),
    ]
    assert served.feed(first, 0) == len(first)
    assert records(served) == [("P-001", 3)]

    assert served.feed([feed.move("QX1", "QX2")], 0) == 1
    assert records(served) == [("P-002", 3)]
    assert served.feed([feed.potassium("QX1", "7.1", VISIT, "O3")], 0) == 1  # late, under the old
    assert records(served) == [("P-002", 4)]
    (line,) = (one for one in served.command("records").splitlines() if "P-002" in one)
    said = served.command("explain", line.split()[-1])
    assert "potassium 6.5 mmol/L" in said
    assert "sent about P-001" in said
    assert "new (visit moved)" in said
    exported = served.command("facts", "export", "--participant=P-001")
    assert VISIT not in exported + said

    assert served.feed([feed.move("QX2", "QX1")], 0) == 1
    assert records(served) == [("P-001", 4)]
    history = served.command("records", "--history")
    for cause in ("retracted (visit moved)", "new (visit moved)", "returned (visit moved)"):
        assert cause in history
    assert served.stop() == 0
    assert "nothing found" in served.command("verify")
    assert "the same history" in served.command("replay")
