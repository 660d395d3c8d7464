"""An intake of messages for tests: a store of its own, two sites, a participant at each."""

import asyncio
import select
import shutil
import socket
import threading
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache
from tempfile import TemporaryDirectory

import httpx
from starlette.applications import Starlette

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.closed_texts import ClosedTexts
from services.ingest.enrolment import import_participants
from services.ingest.fact_names import FactNames
from services.ingest.http import build_routes
from services.ingest.intake import Intake, Submission
from services.ingest.mllp import MllpServer
from services.ingest.writer import Writer
from services.safety_rules.domain.facts.current_facts import select_current_facts
from services.store import journal, parking
from services.store.api_keys import add_api_key
from services.store.messages import count_messages
from services.store.participants import load_participants
from services.store.session import Database
from tests.helpers.hl7_messages import SITES
from tests.helpers.random_trials import RULES
from tests.helpers.store import new_database, registered_keys

NAMES = FactNames(
    frozenset(RULES.measures),
    RULES.list_criteria(),
    ClosedTexts(load_code_tables(), RULES.knows_cause_of_death),
)
CLOCK_TIME = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = {site: f"key-of-{site}" for site in ("north", "rhein")}
COLUMNS = (
    "participant,site,authority,identifier_type,identifier,transplant_at,donor,sex,birth_year,"
    "weight_kg,enrolled_at"
)
PEOPLE = (
    "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,haploidentical,female,1970,70.5,2025-12-20T09:00",
    "P-002,rhein,PATNR,MR,0815,2026-01-02T10:00,,male,1980,80,2025-12-21T09:00",
)


def people(*lines):
    """A file of participants."""
    return "\n".join((COLUMNS, *lines)).encode()


def new_intake(folder, *lines):
    """An intake on a store under *folder*, with the participants of *lines* (PEOPLE)."""
    shutil.copytree(_filled_folder(lines or PEOPLE).name, folder, dirs_exist_ok=True)
    return _intake(folder)


@cache
def _filled_folder(lines):
    """A folder to copy from: a migrated store that holds the participants of *lines*."""
    folder = TemporaryDirectory()
    intake = _intake(folder.name)
    import_participants(intake, people(*lines), "operator")
    with intake.db.write() as conn:
        for site, key in KEY.items():
            add_api_key(conn, key, site, CLOCK_TIME, actor="operator")
    intake.db.close()
    return folder


def _intake(folder):
    db, keys = new_database(folder)
    return Intake(db, keys, "TRIAL", SITES, load_code_tables(), NAMES, lambda: CLOCK_TIME)


def new_postgres_intake(url, folder):
    """An intake on the empty database at *url*, with PEOPLE, and its keys under *folder*."""
    db = Database.open(url)
    intake = Intake(
        db,
        registered_keys(db, folder / "keys"),
        "TRIAL",
        SITES,
        load_code_tables(),
        NAMES,
        lambda: CLOCK_TIME,
    )
    import_participants(intake, people(*PEOPLE), "operator")
    return intake


def submit(intake, raw, **fields):
    """Return the outcome of one message from a file."""
    return intake.accept([Submission(raw, "file", **fields)])[0]


def feed_facts(intake, subject="P-001"):
    """The facts of *subject* that came from feeds, oldest first."""
    with intake.db.read() as conn:
        every = journal.load_facts_between(conn, subject, 0)
    return [one.fact for one in every if one.fact.body.kind not in ("enrolment", "transplant")]


def list_parked(intake):
    """Return reason and path of each parked item."""
    with intake.db.read() as conn:
        return [(row.reason, row.path) for row in parking.load_parked(conn)]


def count_feed_messages(intake):
    """Return the number of stored messages from feeds."""
    with intake.db.read() as conn:
        return count_messages(conn, ("mllp", "http", "file", "person"))


def list_participants(intake):
    """Return the pseudonyms of all participants."""
    with intake.db.read() as conn:
        return list(load_participants(conn))


class Line:
    """One MLLP connection that sends exactly the given bytes."""

    def __init__(self, port, *, hears_little=False, tls=None, source=""):
        self.connection = socket.socket()
        if hears_little:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if source:
            self.connection.bind((source, 0))
        self.connection.settimeout(20)
        self.connection.connect(("127.0.0.1", port))
        if tls is not None:
            self.connection = tls.wrap_socket(self.connection, server_hostname="aegis")

    def say(self, data):
        """Send *data* as it is."""
        self.connection.sendall(data)
        return self

    def answer(self):
        """The next answer, without its frame; empty when the other side has hung up."""
        received = b""
        while not received.endswith(b"\x1c\r"):
            data = self.connection.recv(1)
            if not data:
                return ""
            received += data
        return received[1:-2].decode(errors="replace")  # it names what was sent

    def has_answer(self, within_s):
        """Return True when an answer arrives within *within_s* seconds."""
        return bool(select.select([self.connection], [], [], within_s)[0])

    def close(self):
        """Hang up."""
        self.connection.close()


@contextmanager
def serve_mllp(intake, tls=None, **settings):
    """An MLLP port in front of *intake*, in a thread of its own."""
    is_listening, stop = threading.Event(), None
    loop = asyncio.new_event_loop()
    writer = Writer(intake)
    writer.start()
    server = MllpServer(writer, intake.clock, **settings)
    ports = []

    async def serve():
        nonlocal stop
        stop = asyncio.Event()
        ports.append(await server.start("127.0.0.1", 0, tls))
        is_listening.set()
        await stop.wait()
        await server.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert is_listening.wait(10)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive(), "the port did not close"
        writer.stop()
        loop.close()


@asynccontextmanager
async def open_client(intake, name="north", **settings):
    """An HTTP client of one site, in front of *intake*."""
    writer = Writer(intake)
    writer.start()
    app = Starlette(routes=build_routes(intake, writer, **settings))
    headers = {"Authorization": f"Bearer {KEY[name]}"} if name else {}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://aegis", headers=headers
    ) as client:
        yield client
    writer.stop()


def post_content(intake, path, content, name="north", **settings):
    """Return the response to one POST of one site."""

    async def send_request():
        async with open_client(intake, name, **settings) as client:
            return await client.post(path, content=content)

    return asyncio.run(send_request())


def list_facts(intake, subject):
    """Every fact of *subject*, in the order of the journal."""
    with intake.db.read() as conn:
        return [one.fact for one in journal.load_facts_between(conn, subject, 0)]


def list_current_facts(intake):
    """The current facts of P-001 from imports."""
    current_facts = select_current_facts(list_facts(intake, "P-001"))
    return [(fact.observed_at, fact.body) for fact in current_facts]
