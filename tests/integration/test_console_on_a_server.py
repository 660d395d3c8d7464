"""The console on PostgreSQL, as its own login; the board's pages as one that reads views only."""

import re
from dataclasses import replace

import psycopg
import pytest

from services.cli.shared.open_study import migrate, open_in
from services.people.second_factor import make_totp_code
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.safety_rules.workers.journal_worker import JournalWorker
from services.simulator.trial import simulate_trial
from services.store import acts, alerts, records
from services.store.board import FileBoard, ServerBoard, open_board
from services.store.session import Database
from services.vocabulary.alert import Level
from tests.helpers.console_pages import add_everybody, open_console
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import PASSWORD

pytestmark = [pytest.mark.server, pytest.mark.slow]

RULE = "BLINA-HSCT.S1"


@pytest.fixture(scope="module")
def trial_on_a_server(postgres_server, tmp_path_factory):
    """A trial with a boundary that is reached, written as the owner of the tables."""
    from tests.helpers.servers import make_database  # noqa: PLC0415 (beside its fixture)

    folder = tmp_path_factory.mktemp("served")
    postgres_server.start()
    with make_database(postgres_server) as database:
        postgres_server.make_logins(database.name)

        def settings(login):
            return read_store_settings(
                data=folder, database_url=database.login_url(login), study=STUDY, clock="message"
            )

        owner = migrate(settings("owner"))
        installation = Installation.__new__(Installation)
        installation.context, installation.db = owner, owner.db
        fill(installation)
        console_data = open_in(settings("console"), service="console")
        yield owner, console_data, database
        console_data.db.close()
        owner.db.close()


def fill(installation):
    from services.acts.intake import make_intake  # noqa: PLC0415 (of the owner alone)

    installation.intake = make_intake(installation.context)
    installation.worker = JournalWorker(
        installation.db, installation.context.study.rules, "test", now_utc, by_message=True
    )
    installation.fill(simulate_trial(8, seed=7, days=16))
    add_everybody(installation.db)


@pytest.fixture
def console(trial_on_a_server):
    _, data, database = trial_on_a_server
    board_db = Database.open(database.login_url("board"))
    with open_console(data) as opened_console:
        context = opened_console.context
        board = open_board(board_db, context.study_id)
        yield replace(opened_console, context=replace(context, board=board))
    board_db.close()


def test_the_board_reads_on_a_server_what_it_reads_in_a_file(trial_on_a_server, console):
    owner, _, _ = trial_on_a_server
    in_file, on_server = FileBoard(owner.db, owner.study_id), console.context.board
    assert isinstance(on_server, ServerBoard)
    assert on_server.load_rules() == in_file.load_rules()
    assert on_server.load_events() == in_file.load_events()
    assert on_server.load_history() == in_file.load_history()
    assert on_server.load_terms() == in_file.load_terms()
    assert on_server.load_alerts() == in_file.load_alerts()
    assert on_server.load_points() == in_file.load_points()
    assert on_server.load_alerts()
    assert on_server.load_events()


@pytest.mark.part11("4.1")
def test_the_login_of_the_board_reads_views_alone(trial_on_a_server):
    _, _, database = trial_on_a_server
    with psycopg.connect(database.login_url("board").replace("+psycopg", "")) as connection:
        for place in ("public.decision", "public.episode", "watch.record", "watch.alert"):
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                connection.transaction(),
            ):
                connection.execute(f"SELECT 1 FROM {place}")  # noqa: S608 - names of ours


@pytest.mark.part11("4.1")
def test_the_pages_of_the_board_name_no_site_and_no_date(console):
    browser = console.admit("member")
    addresses = ["/board", f"/board/rules/{RULE}"]
    addresses += [f"/board/alerts/{one.id}" for one in console.context.board.load_alerts()]
    for address in addresses:
        page = browser.look(address).partition("<main")[2].partition("</main>")[0]
        assert not re.search(r"20\d\d-\d\d-\d\d", page), address
        assert not re.search(r"\b(west|north|rhein)\b", page), address


@pytest.mark.part11("11.10(d)", "4.3.3")
def test_every_page_and_every_act_is_within_the_rights_of_the_login(console):
    browser = console.sign_in("safety")
    for address in ("/worklist", "/participants", "/rules", f"/rules/{RULE}?what-if=1", "/alerts",
                    "/clocks", "/queries", "/parked", "/sites"):  # fmt: skip
        browser.look(address)
    db = console.context.db
    with db.read() as conn:
        record = next(one for one in records.load_latest_episodes(conn) if not one.retracted)
        alert = next(
            one
            for one in alerts.load_alerts(conn)
            if one.is_open and one.level is Level.PARTICIPANT
        )
    browser.look(f"/participants/{record.content.participant}")
    address = f"/records/{record.id}"
    browser.look(address)
    signature = {"reason": "seen in the chart", "password": PASSWORD}
    browser.send(address, verdict="confirm", seen=browser.find_hidden("seen"), **signature)
    onset = f"{record.content.onset_at:%Y-%m-%d %H:%M}"
    aware = {"clock": "24h", "aware": onset, "serious": "yes"}
    browser.send(f"{address}/seriousness", **aware, reason="in intensive care")
    alert_address = f"/alerts/by-id/{alert.id}"
    browser.look(alert_address)
    browser.send(alert_address, act="snooze", hours="24", reason="waits for a result")
    browser.send(alert_address, act="escalate", reason="nobody is there")
    browser.send(alert_address, act="acknowledge", version=str(alert.version))
    chair = console.sign_in("chair")
    chair.look(f"/board/rules/{RULE}")
    chair.send(f"/board/rules/{RULE}", answer="pause", seen=chair.find_hidden("seen"), **signature)
    auditor = console.admit("auditor")
    for address in ("/audit", "/people", "/health"):
        auditor.look(address)
    auditor.look("/me/token")
    auditor.send("/me/token", 200, password=PASSWORD)
    auditor.look("/me")
    auditor.send("/me", token=auditor.find_hidden("token"))
    auditor.look("/me/second-factor")
    secret = auditor.find_hidden("secret")
    fields = {"secret": secret, "new_code": make_totp_code(secret, now_utc())}
    auditor.send("/me/second-factor", **fields, password=PASSWORD)
    auditor.send("/sign-out")
    member = console.admit("member")
    member.look("/me/password")
    new_password = {"new": "another for today", "again": "another for today"}
    member.send("/me/password", **new_password, password=PASSWORD)
    with db.read() as conn:
        kinds = [one.kind for one in acts.load_acts(conn)]
    assert {"adjudicate", "start-clock", "snooze", "escalate", "acknowledge", "determine"} <= {
        str(kind) for kind in kinds
    }
