"""Identifiers that are planted in every free field of messages come out nowhere but in the vault.

The service takes them in while things fail around it: poison, bad rows, a receiver that hangs, a
crash, a fact that cannot be folded. Then everything that it wrote or answered is searched.
"""

import json
import shutil
import socket
import threading
from contextlib import closing, contextmanager, suppress
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import text

from services.acts.intake import make_intake
from services.cli.demo.mail_sink import MailSink
from services.cli.shared.open_study import open_in
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.ingest.mllp_client import send_messages
from services.relay.packing import pack_records
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.safety_rules.workers.journal_worker import JournalWorker
from services.store import outbox
from services.store.session import Database
from tests.helpers.distributed_service import wait_until
from tests.helpers.embedded_service import ROOT, EmbeddedService
from tests.helpers.installation import STUDY
from tests.helpers.people import sign_in

pytestmark = pytest.mark.slow

# Every planted word holds one of these, which are too long to stand in ciphertext by chance.
TOKENS = (b"qzxj7k", b"19711213", b"1971-12-13", b"5550177333")
PEOPLE = """participant,site,authority,identifier_type,identifier,transplant_at,enrolled_at
P-001,west,WMRN,MR,QZXJ7K7711,2026-01-05T10:00,2025-12-20T09:00
P-002,west,WMRN,MR,QZXJ7K7712,2026-01-06T10:00,2025-12-21T09:00
"""
BAD_PEOPLE = """participant,site,authority,identifier_type,identifier,transplant_at,enrolled_at
"QZXJ7KDOE, QZXJ7KJANE",west,WMRN,MR,QZXJ7K7713,2026-01-05T10:00,2025-12-20T09:00
QZXJ7KJANE 19711213,west,WMRN,MR,QZXJ7K7714,2026-01-05T10:00,2025-12-20T09:00
P-003,west,WMRN,MR,QZXJ7K7711,2026-01-05T10:00,2025-12-20T09:00
P-004,west,WMRN,MR,QZXJ7K7715,QZXJ7KDOE,2025-12-20T09:00
P-005,west,WMRN,QZXJ7KTYPE,QZXJ7K7716,,2025-12-20T09:00
"""
PERSON = (
    "QZXJ7KDOE^QZXJ7KJANE||19711213|F||QZXJ7KRACE"
    "|99 QZXJ7KSTREET^^QZXJ7KTOWN||5550177333|5550177333"
)
PID = f"PID|1|QZXJ7KOLD|QZXJ7K7711^^^WMRN^MR~QZXJ7K88^^^QZXJ7KAUTH^SS|QZXJ7KALT|{PERSON}"
NEXT_OF_KIN = "NK1|1|QZXJ7KDOE^QZXJ7KKIN|QZXJ7KREL|99 QZXJ7KSTREET|5550177333"
NOTE = "NTE|1|QZXJ7KSRC|QZXJ7KDOE was born on 19711213, phone 5550177333"
ORDER = (
    "OBR|1|QZXJ7KPLACER^QZXJ7KP|QZXJ7KFILLER^QZXJ7KF|CMP^QZXJ7KPANEL"
    "|||20260314063000-0700||||||QZXJ7KINFO"
)
RESULT_TIME = "|||F|||20260314063000-0700|QZXJ7KLAB|QZXJ7KDOE^QZXJ7KNURSE"
VISIT = "PV1|1|I|QZXJ7KWARD^99 QZXJ7KSTREET||||QZXJ7KDOE^QZXJ7KDOCTOR||||||||||||QZXJ7KVISIT"


def head(
    kind="ORU^R01", number="1", sender="CERNER|WEST", processing="P", sent_at="20260314071000"
):
    """The header of a message; its own number and the event's text hold planted words."""
    return (
        rf"MSH|^~\&|{sender}|QZXJ7KAPP|QZXJ7KFAC|{sent_at}-0700|QZXJ7KSEC|{kind}|QZXJ7KMSG{number}"
        f"|{processing}|2.5.1||QZXJ7KPOINTER"
    )


def result(code="K", value="7.2", unit="mmol/L", kind="NM", tail="3.5-5.1|HH"):
    """One result, with planted texts beside what is read."""
    return f"OBX|1|{kind}|{code}|QZXJ7KSUB|{value}|{unit}|{tail}{RESULT_TIME}"


def message(*segments, **header):
    """One message about the participant, with next of kin and a note."""
    return "\r".join((head(**header), PID, NEXT_OF_KIN, *segments, NOTE)).encode()


MESSAGES = {
    "a dose": message(
        "ORC|RE|QZXJ7KPLACER|QZXJ7KFILLER|||||||QZXJ7KENTERER",
        "RXR|QZXJ7KROUTE",
        "RXA|0|1|20260312080000-0700||blinatumomab^QZXJ7KNAME|8|ug/d||QZXJ7KNOTE||QZXJ7KDOE|||||||||CP",
        kind="RAS^O17",
        number="2",
        sent_at="20260312080500",
    ),
    "a grade 4": message(ORDER, result(), number="3"),
    "a code beside a known one": message(
        ORDER, result("QZXJ7KCODE^QZXJ7KTEXT^L^2951-2^QZXJ7KSODIUM^LN", "151"), number="4"
    ),
    "a code that nobody knows": message(
        ORDER, result("QZXJ7KCODE^QZXJ7KDOE^QZXJ7KSYS"), number="5"
    ),
    "a unit that nobody knows": message(ORDER, result(unit="QZXJ7KUNIT^QZXJ7KDOE"), number="6"),
    "a value that is a name": message(ORDER, result(value="QZXJ7KDOE", kind="ST"), number="7"),
    "a status that is none": message(
        ORDER, "OBX|1|NM|K||7.2|mmol/L|||||QZXJ7KDOE|||20260314063000-0700", number="8"
    ),
    "a range that is a name": message(ORDER, result(tail="QZXJ7KDOE|QZXJ7KFLAG"), number="9"),
    "a time that is a name": message(
        ORDER, "OBX|1|NM|K||7.2|mmol/L|||||F|||QZXJ7KDOE", number="10"
    ),
    "a drug that nobody knows": message(
        "RXA|0|1|20260312080000-0700||QZXJ7KDRUG^QZXJ7KDOE|8|QZXJ7KUNIT|||||||||||||QZXJ7KCP|QZXJ7KACT",
        kind="RAS^O17",
        number="11",
    ),
    "a type that nobody reads": message(kind="QZXJ7KTYPE^QZXJ7KEVENT", number="12"),
    "an admission": message(
        "EVN|A01|20260313080000-0700||QZXJ7KWHY|QZXJ7KDOE", VISIT, kind="ADT^A01", number="13"
    ),
    "somebody who does not take part": message(ORDER, result(), number="14").replace(
        b"QZXJ7K7711", b"QZXJ7K9999"
    ),
    "a merge with nobody": message("MRG|QZXJ7K9998^^^WMRN^MR", kind="ADT^A40", number="15"),
    "a line of no segment": message(ORDER, result(), "QZXJ7KDOE QZXJ7KJANE 19711213", number="16"),
    "a sender that nobody knows": message(sender="QZXJ7KDOE|QZXJ7KJANE", number="17"),
    "a test message": message(processing="QZXJ7KDOE", number="18"),
    "a character set of that name": message(number="19").replace(
        b"||QZXJ7KPOINTER", b"||QZXJ7KPOINTER||||QZXJ7KSET"
    ),
    "a count of 5,000 digits": message(ORDER, result(), number="20").replace(
        b"|2.5.1||", b"|2.5.1|" + b"9" * 5000 + b"|"
    ),
    "a number without end": message(ORDER, result(value="1E+1000000000000000000"), number="21"),
    "a NUL": message(ORDER, result(r"QZXJ7K\X00\DOE"), number="22"),
    "a byte of no character set": message(ORDER, result(), number="23").replace(
        b"QZXJ7KDOE was", b"QZXJ7KDOE \xff\xfe was"
    ),
    "no header": b"QZXJ7KDOE|QZXJ7KJANE|19711213",
    "a header alone": rb"MSH|^~\&|QZXJ7KDOE",
}
FACT = {
    "id": "QZXJ7KLINE", "subject": "P-001", "observed_at": "2026-03-14T15:00:00Z",
    "digest": "QZXJ7KDIGEST", "series": "QZXJ7KLAB|QZXJ7KFILLER|sodium|", "visit": "QZXJ7KVISIT",
    "notes": ["QZXJ7KDOE", "born on 19711213"],
    "result_key": {"code": "QZXJ7KCODE", "number": "QZXJ7KNUMBER", "local_time": "QZXJ7KTIME",
                   "report": "QZXJ7KREPORT"},
}  # fmt: skip
BODIES = (
    {"kind": "observation", "measure": "sodium", "value": {"value": "151", "unit": "mmol/L"}},
    {"kind": "observation", "measure": "sodium", "text": "QZXJ7KDOE"},
    {"kind": "observation", "measure": "sodium", "value": {"value": "151", "unit": "QZXJ7KUNIT"}},
    {"kind": "observation", "measure": "QZXJ7KDOE", "text": "QZXJ7KDOE"},
    {"kind": "observation", "measure": "sodium", "QZXJ7KDOE": "19711213"},
    {"kind": "administration", "drug": "QZXJ7KDRUG", "action": "given"},
    {"kind": "administration", "drug": "dexamethasone", "action": "given", "route": "QZXJ7KROUTE",
     "dose": {"value": "10", "unit": "QZXJ7KUNIT"}},
    {"kind": "administration", "drug": "dexamethasone", "action": "given", "route": "QZXJ7KROUTE"},
    {"kind": "movement", "to": "icu"},
    {"kind": "enrolment", "site": "QZXJ7KSITE"},
    {"kind": "relapse", "detail": "QZXJ7KDOE has relapsed"},
    {"kind": "withdrawal", "reason": "QZXJ7KDOE moved to 99 QZXJ7KSTREET"},
    {"kind": "culture", "positive": True, "organism": "QZXJ7KDOE"},
    {"kind": "graft-status", "status": "failed", "by": "QZXJ7KDOCTOR", "note": "QZXJ7KDOE"},
    {"kind": "assessment", "criterion": "ctcae-5.0.tremor", "grade": 4, "by": "QZXJ7KDOCTOR",
     "note": "QZXJ7KDOE"},
    {"kind": "assessment", "criterion": "QZXJ7KTERM", "grade": 3, "by": "QZXJ7KDOCTOR"},
    {"kind": "finding", "criterion": "ctcae-5.0.lipase-increased", "by": "QZXJ7KDOCTOR",
     "symptoms": "severe", "note": "QZXJ7KDOE"},
    {"kind": "QZXJ7KKIND"},
    {"kind": "adjudication", "criterion": "ctcae-5.0.tremor", "verdict": "confirm",
     "by": "QZXJ7KDOE", "reason": "QZXJ7KDOE", "signed_at": "2026-03-14T15:00:00Z"},
    {"kind": "death", "cause": "QZXJ7KDOE fell at 99 QZXJ7KSTREET"},
)  # fmt: skip


def fact_lines(without=""):
    """All bodies but one kind as lines of one participant, and lines that are none."""
    bodies = [body for body in BODIES if body["kind"] != without]
    facts = [json.dumps(FACT | {"id": f"QZXJ7KLINE{n}", "body": b}) for n, b in enumerate(bodies)]
    strangers = [
        json.dumps(FACT | {"subject": "QZXJ7KDOE", "body": BODIES[0]}),
        json.dumps(FACT | {"observed_at": "QZXJ7KDOE", "body": BODIES[0]}),
        json.dumps(FACT | {"observed_at": "2096-03-14T15:00:00Z", "body": BODIES[0]}),
        '{"QZXJ7KDOE": ',
    ]
    return "\n".join([*facts, *strangers]).encode()


def find_tokens(outputs):
    """Return (name, excerpt) of each planted token in *outputs*: bytes or text by name."""
    finds = []
    for name, content in outputs.items():
        small_letters = (content if isinstance(content, bytes) else content.encode()).lower()
        for token in TOKENS:
            place = small_letters.find(token)
            if place >= 0:
                finds.append((name, small_letters[max(0, place - 60) : place + 60]))
    return finds


def read_files(folder, pattern="*"):
    """The bytes of every file under *folder*: the raw messages in a database are encrypted."""
    return {
        f"file {path.relative_to(folder)}": path.read_bytes()
        for path in folder.rglob(pattern)
        if path.is_file()
    }


def read_rows(url):
    """Every row of every table and view, those of dashboards among them, as text by table."""
    engine, rows = sa.create_engine(url), {}
    inspector = sa.inspect(engine)
    with engine.connect() as connection:
        for schema in {"public", "watch"} & set(inspector.get_schema_names()) or {None}:
            names = inspector.get_table_names(schema), inspector.get_view_names(schema)
            for name in (*names[0], *names[1]):
                table = sa.table(name, schema=schema)
                found_rows = connection.execute(sa.select(text("*")).select_from(table))
                rows[f"table {schema}.{name}"] = repr(found_rows.all())
    engine.dispose()
    return rows


def read_mails(sink):
    """Every mail, as sent and with its parts decoded."""
    mails = {}
    for path in sink.mails:
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        parts = [
            part.get_content() for part in mail.walk() if part.get_content_type() == "text/plain"
        ]
        mails[f"mail {path.name}"] = "\n".join((path.read_text(), *map(str, parts)))
    return mails


class Webhooks(ThreadingHTTPServer):
    """A receiver on a free port that keeps what it is sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _WebhookPage)
        self.received = []


class _WebhookPage(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(str(self.headers).encode() + body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def receivers(folder):
    """A mail server, a webhook, and a webhook that never answers, as a study in *folder* has."""
    shutil.copytree(STUDY, folder)
    with MailSink(folder.parent / "mails") as sink, Webhooks() as webhooks:
        thread = threading.Thread(target=webhooks.serve_forever, daemon=True)
        thread.start()
        with closing(socket.create_server(("127.0.0.1", 0))) as silent:
            addresses = {
                "hook": f"http://127.0.0.1:{webhooks.server_port}/",
                "silent": f"http://127.0.0.1:{silent.getsockname()[1]}/",
            }
            roles = ("dsmb", "safety_officer", "principal_investigator", "operator")
            lines = ["roles:"]
            for role in roles:
                lines += [f"  {role}:", f"    - {{name: {role} mail, email: {role}@example.org}}"]
                lines += [
                    f"    - {{name: {role} {name}, webhook: '{url}'}}"
                    for name, url in addresses.items()
                ]
            (folder / "recipients.yaml").write_text("\n".join(lines) + "\n")
            yield sink, webhooks
        webhooks.shutdown()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def url(request, tmp_path, monkeypatch):
    """The database of the service: its URL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/db/aegis.db"
    database_url = request.getfixturevalue("postgres").url
    monkeypatch.setenv("AEGIS_DATABASE_URL", database_url)
    return database_url


def send(service, raws):
    """Send *raws* one by one, each on a connection of its own; what is answered does not matter."""
    for raw in raws:
        with suppress(OSError):
            list(send_messages("127.0.0.1", service.mllp, [raw], timeout_s=20))


def send_garbage(service):
    """Send bytes outside of a frame, and half a frame."""
    for content in (b"QZXJ7KDOE 19711213\r\n", b"\x0bMSH|^~\\&|QZXJ7KDOE|QZXJ7KJANE"):
        with socket.create_connection(("127.0.0.1", service.mllp), timeout=20) as connection:
            connection.sendall(content)


def ask_pages(service, key):
    """The answers of pages that repeat nothing of a message: metrics, health, wrong requests."""
    base = f"http://127.0.0.1:{service.http}"
    with httpx.Client(base_url=base, timeout=20) as client:
        client.post(
            "/v1/facts", content=fact_lines(), headers={"Authorization": f"Bearer {key}"}
        ).raise_for_status()
        client.post(
            "/v1/hl7v2",
            content=MESSAGES["a grade 4"],
            headers={"Authorization": "Bearer QZXJ7KDOE"},
        )
        client.get("/QZXJ7KDOE?name=QZXJ7KJANE")
        return {
            page: str(answer.headers) + answer.text
            for page in ("/metrics", "/livez", "/readyz", "/healthz")
            if (answer := client.get(page))
        }


# What people and programs are shown; the lists of what is parked and refused quote senders to who
# holds the keys, and are no part of it.
COMMANDS = (
    "records", "records --history", "records --json", "queries", "queries --json", "rules",
    "rules sites", "dose", "alerts list --all", "alerts list --all --json", "endpoints",
    "participants list", "verify", "replay", "facts export",
)  # fmt: skip


def import_people(folder, run):
    """Import two participants; lines with planted pseudonyms, times and authorities are refused."""
    good_file, bad_file = folder / "people.csv", folder / "bad.csv"
    good_file.write_text(PEOPLE)
    bad_file.write_text(BAD_PEOPLE)
    assert run("participants", "import", str(good_file)).returncode == 0
    assert run("participants", "import", str(bad_file)).returncode == 1


def feed_through_a_crash(service, key):
    """Send everything to a service that dies once; return the answers of its pages."""
    assert service.start("ingest.after_commit:2")
    send(service, MESSAGES.values())  # it dies at the second that is stored
    service.kill()
    assert service.start()
    send(service, MESSAGES.values())
    send_garbage(service)
    return ask_pages(service, key)


def check_that_it_was_taken_in(url):
    """Check that messages were read, parked and refused: nothing leaks of what never came in."""
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        kinds = set(conn.scalars(text("SELECT DISTINCT kind FROM fact")))
        reasons = set(conn.scalars(text("SELECT DISTINCT reason FROM parked")))
        refused_count = conn.scalar(text("SELECT count(*) FROM refused_message"))
    engine.dispose()
    assert kinds >= {"death", "relapse", "culture", "assessment", "observation", "movement"}
    assert reasons >= {"unknown-code", "unknown-unit", "unreadable-line", "unknown-participant"}
    assert refused_count >= 3


def run_commands(folder, url, run):
    """Run what shows the data, a copy, and the same once a fact is spoiled."""
    for words in COMMANDS:
        run(*words.split())
    sign_in(folder / "data", "lee", db=Database.open(url))
    run("facts", "add", "death", "--participant", "P-002", "--at", "2026-03-20T08:00Z",
        "--cause", "relapse")  # fmt: skip
    run("backup", str(folder / "backup"))
    spoil_last_fact(url)
    for words in ("records", "verify", "retry"):
        run(words)


@pytest.mark.part11("11.30", "4.3.3")
def test_nothing_that_is_planted_comes_out(tmp_path, url, monkeypatch):
    secret_file = tmp_path / "webhook.secret"
    secret_file.write_text("0123456789abcdef")
    monkeypatch.setenv("AEGIS_WEBHOOK_SECRET_FILE", str(secret_file))
    monkeypatch.setenv("AEGIS_DELIVERY_DEADLINE_S", "2")
    outputs = {}
    with receivers(tmp_path / "study") as (sink, webhooks):
        service = EmbeddedService(tmp_path / "data", sink.port, study=tmp_path / "study")

        def run(*words):
            process = service.command(*words, check=False)
            outputs[f"{len(outputs)} aegis {words[0]}"] = process.stdout + process.stderr
            return process

        if not url.startswith("sqlite"):
            assert run("migrate").returncode == 0
        import_people(tmp_path, run)
        lines_file = tmp_path / "facts.ndjson"
        lines_file.write_bytes(fact_lines(without="adjudication"))  # a person's, whoever brings it
        service.command("ingest", str(lines_file), check=False)  # told its own
        answer = run("sites", "key", "west").stdout
        key = next(word for word in answer.split() if len(word) > 30)
        outputs |= feed_through_a_crash(service, key)
        wait_until(lambda: sink.mails and webhooks.received, 60, service.is_alive)
        assert service.stop() == 0
        check_that_it_was_taken_in(url)
        run_commands(tmp_path, url, run)
        outputs |= {f"webhook {n}": body for n, body in enumerate(webhooks.received)}
        outputs |= read_mails(sink)
    outputs |= read_rows(url)
    outputs |= read_files(tmp_path / "data") | read_files(tmp_path / "backup")
    outputs |= read_files(ROOT / "deploy" / "grafana", "*.json")
    outputs["log"] = (tmp_path / "service.log").read_bytes()
    assert b"message_refused" in outputs["log"]
    assert find_tokens(outputs) == []
    engine = sa.create_engine(url)
    with engine.begin() as conn:  # the search can fail
        conn.execute(text("UPDATE parked SET comment = 'QZXJ7KDOE'"))
    engine.dispose()
    assert {name.rpartition(".")[2] for name, _ in find_tokens(read_rows(url))} == {"parked"}


def spoil_last_fact(url):
    """Let the last fact of a participant be one that cannot be read."""
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        conn.execute(
            text(
                "UPDATE fact SET payload = :payload WHERE subject = 'P-001' AND seq ="
                " (SELECT max(seq) FROM fact WHERE subject = 'P-001')"
            ),
            {"payload": '{"body": "?"}'},
        )
    engine.dispose()


def test_topics_carry_nothing_that_is_planted(tmp_path):
    context = open_in(read_store_settings(data=tmp_path, study=STUDY, clock="message"))
    context.db.close()
    db = Database.open(context.db.url, has_relay=True)
    intake = make_intake(context)
    intake.db = db
    import_participants(intake, PEOPLE.encode(), "operator")
    intake.accept([Submission(raw, "mllp") for raw in MESSAGES.values()])
    intake.accept([Submission(fact_lines(), "http", "west", form="facts")])
    worker = JournalWorker(db, context.study.rules, "rules", now_utc, by_message=True)
    assert worker.settle()
    with db.read() as conn:
        announcements = outbox.load_announcements(conn, 0, 10_000)
    db.close()
    records = {
        f"{record.topic} {n}": record.key.encode() + record.value
        for n, record in enumerate(pack_records(context.study_id, announcements))
    }
    assert len(records) > 1
    assert b"assessment" in b"".join(records.values())
    assert find_tokens(records) == []


LEAKS = {
    "a line of the log": b"QZXJ7KDOE",
    "lower case": b"the patient qzxj7kdoe",
    "a date of birth with hyphens": "born 1971-12-13",
    "a telephone number": "tel. 5550177333",
    "a row of a table": repr([("P-001", "QZXJ7K7711")]),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_the_search_finds_what_is_planted(leak):
    assert [name for name, _ in find_tokens({leak: LEAKS[leak], "other": "P-001"})] == [leak]


def test_the_search_reads_mails_files_and_tables(tmp_path):
    with MailSink(tmp_path / "mails") as sink:
        mail = "Subject: x\nContent-Transfer-Encoding: base64\n\nUVpYSjdLRE9F\n"
        (sink.folder / "00001.eml").write_text(mail)
        assert find_tokens(read_mails(sink))
    (tmp_path / "report.html").write_text("<td>QZXJ7KDOE</td>")
    assert find_tokens(read_files(tmp_path, "*.html"))
    engine = sa.create_engine(f"sqlite:///{tmp_path}/some.db")
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE note (words TEXT)"))
        conn.execute(text("INSERT INTO note VALUES ('QZXJ7KDOE')"))
    engine.dispose()
    assert find_tokens(read_rows(f"sqlite:///{tmp_path}/some.db"))
    assert find_tokens(read_files(tmp_path, "*.db"))
