"""Numbers and words of sites after an upgrade: hidden in every row, and corrections still match."""

import json
from uuid import uuid5

import pytest
import sqlalchemy as sa

from services.acts.intake import make_intake
from services.cli.main import main
from services.cli.shared.open_study import open_in
from services.ingest.ids import NAMESPACE
from services.ingest.intake import Submission
from services.ingest.parked_items import retry_parked
from services.runtime.store_settings import read_store_settings
from services.safety_rules.domain.facts.current_facts import CurrentFacts
from services.store import journal, parking
from tests.helpers.installation import STUDY
from tests.integration.test_migrations import DATABASES, aegis, restore_release

PID = "PID|1||60413^^^WMRN^MR"
# numbers and words that the messages of the release before hold
SITE_WORDS = (
    *("ORDERNO", "D1-7788", "LAB-7789", "LAB-7790", "LAB-7791", "PLACER", "VISIT-77", "ORDER-55"),
    *("XQ7", "MYSTERY", "DOE", "JANE", "60413", "60414", "60999", "CERNER|WEST|"),
)


@pytest.fixture(params=DATABASES)
def old_data(request, tmp_path, monkeypatch):
    """A database of the release that stored numbers and words as they came: its URL."""
    with restore_release(request, tmp_path, monkeypatch, "0010") as url:
        monkeypatch.setenv("AEGIS_CLOCK", "message")
        yield url


@pytest.fixture
def context(old_data, tmp_path):
    """The same, upgraded."""
    assert main(["migrate"]) == 0
    url = "" if old_data.startswith("sqlite") else old_data
    study_context = open_in(
        read_store_settings(data=tmp_path, study=STUDY, clock="message", database_url=url)
    )
    yield study_context
    study_context.db.close()


def rows_of(url):
    """Every row of every table but that of raw messages' bytes, as text by table."""
    engine, tables = sa.create_engine(url), sa.MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        rows = {
            name: [repr(row) for row in connection.execute(sa.select(table)).mappings()]
            for name, table in tables.tables.items()
        }
    engine.dispose()
    return rows


def find_planted(url):
    """Return (table, word) of each planted word in the database; a sender names a known site."""
    return {
        (name, word)
        for name, rows in rows_of(url).items()
        for row in rows
        for word in SITE_WORDS
        if word in row.replace("'CERNER|WEST'", "")
    }


def facts_in(context):
    """Every fact by id."""
    with context.db.read() as conn:
        return {
            entry.fact.id: entry.fact
            for subject in ("P-001", "P-002")
            for entry in journal.load_facts_between(conn, subject, 0)
        }


def current_bodies(context, subject, kind):
    """The bodies of *kind* that stand about *subject*."""
    current_facts, standing_facts = CurrentFacts(), []
    with context.db.read() as conn:
        entries = journal.load_facts_between(conn, subject, 0)
    for entry in entries:
        changes = current_facts.add([entry.fact])
        standing_facts = [f for f in standing_facts if f not in changes.removed_facts]
        standing_facts += changes.added_facts
    return [fact.body for fact in standing_facts if fact.body.kind == kind]


def send(context, kind, control_id, *segments, sent_at="20260315071000-0700"):
    """Accept one HL7 message of the site west."""
    head = rf"MSH|^~\&|CERNER|WEST|AEGIS|TRIAL|{sent_at}||{kind}|{control_id}|P|2.5.1"
    body = "\r".join((head, PID, *segments)).encode()
    (outcome,) = make_intake(context).accept([Submission(body, "mllp")])
    assert outcome.refusal is None
    return outcome


def test_the_release_before_stored_them_as_they_came(old_data):
    assert {word for _, word in find_planted(old_data)} >= {"ORDERNO", "LAB-7789", "XQ7", "DOE"}


def test_no_row_has_a_number_or_word_of_a_site_and_nothing_else_changed(old_data, capsys):
    facts_before = rows_of(old_data)["fact"]
    assert main(["migrate"]) == 0
    assert not find_planted(old_data)
    assert len(rows_of(old_data)["fact"]) == len(facts_before)
    capsys.readouterr()
    assert main(["verify"]) == 0, capsys.readouterr().out


@pytest.mark.usefixtures("context")
def test_an_operator_still_reads_the_words():
    assert "no measure for XQ7^" in aegis("parked", "list", "--json").stdout
    row = json.loads(aegis("refused", "list", "--json").stdout)
    assert (row["sender"], row["control_id"]) == ("DOE|JANE", "ORDERNO-A6")
    assert "no site sends as DOE|JANE" in row["problem"]


def test_the_same_bytes_are_duplicates(context):
    with context.db.read() as conn:
        ids = conn.scalars(sa.text("SELECT id FROM raw_message WHERE source = 'mllp'")).all()
        bodies = [journal.load_message(conn, context.keys, one).body for one in ids]
    outcomes = make_intake(context).accept([Submission(body, "mllp") for body in bodies])
    assert len(outcomes) == 5
    assert all(outcome.duplicate for outcome in outcomes)


def test_a_correction_finds_its_result(context):
    assert [str(b.value.value) for b in current_bodies(context, "P-001", "observation")] == [
        "7.2", "0.4",
    ]  # fmt: skip
    send(
        context, "ORU^R01", "C1", "OBR|1|PLACER-2|LAB-7789|CMP",
        "OBX|1|NM|K||4.2|mmol/L|3.5-5.1||||C|||20260314063000-0700",
        "OBX|2|NM|NEUT_ABS||0.4|10*9/L|||||D|||20260314063000-0700",
    )  # fmt: skip
    bodies = current_bodies(context, "P-001", "observation")
    assert [str(body.value.value) for body in bodies] == ["4.2"]


def test_a_result_of_another_order_stands_beside_it(context):
    result = "OBX|1|NM|K||4.2|mmol/L|3.5-5.1||||C|||20260314063000-0700"
    send(context, "ORU^R01", "C1", "OBR|1|PLACER-2|LAB-7780|CMP", result)
    values = [str(b.value.value) for b in current_bodies(context, "P-001", "observation")]
    assert sorted(values) == ["0.4", "4.2", "7.2"]


def test_an_infusion_and_an_admission_are_taken_back(context):
    assert len(current_bodies(context, "P-001", "administration")) == 1
    send(
        context, "RAS^O17", "C2", "ORC|RE|PLACER-1|D1-7788",
        "RXA|0|1|20260312080000-0700|20260312200000-0700|blinatumomab|8|ug/d|||||||||||||CP|D",
    )  # fmt: skip
    assert not current_bodies(context, "P-001", "administration")
    visit = "PV1|1|I|WARD1||||||||||||||||VISIT-77"
    send(context, "ADT^A11", "C3", "EVN|A11|20260314080000-0700", visit)
    movements = [fact for fact in facts_in(context).values() if fact.body.kind == "movement"]
    assert movements[0].series == movements[1].series


def test_a_fact_of_our_own_form_is_corrected_in_its_series(context):
    line = {
        "subject": "P-002", "observed_at": "2026-03-14T14:00:00Z", "status": "C",
        "reported_at": "2026-03-15T14:00:00Z", "series": "ORBIS|ORDER-55|sodium|",
        "body": {"kind": "observation", "measure": "sodium",
                 "value": {"value": "141", "unit": "mmol/L"}},
    }  # fmt: skip
    body = json.dumps(line).encode()
    make_intake(context).accept([Submission(body, "file", actor="operator", form="facts")])
    sodium = [
        body for body in current_bodies(context, "P-002", "observation") if body.measure == "sodium"
    ]
    assert [str(body.value.value) for body in sodium] == ["141"]


def test_what_was_parked_becomes_the_fact_that_it_would_have_been(context):
    with context.db.read() as conn:
        (item,) = [row for row in parking.load_parked(conn) if row.reason == "future-dated"]
        message = journal.load_message(conn, context.keys, item.message)
    send(context, "ORU^R01", "LATER", "OBX|1|NM|K||4.2|mmol/L", sent_at="20260401071000-0700")
    intake = make_intake(context)
    intake.by_message = False  # it is later now
    assert retry_parked(intake, "operator").facts == 1
    name = f"west|CERNER|WEST|ORDERNO-A1|{message.sha256}|{item.path}"
    stop = facts_in(context)[str(uuid5(NAMESPACE, name))]
    start = next(f for f in facts_in(context).values() if f.series.endswith("|start"))
    assert stop.series.removesuffix("|stop") == start.series.removesuffix("|start")


def test_without_its_keys_a_database_is_not_upgraded(old_data, tmp_path, capsys):
    earlier_rows = rows_of(old_data)
    for file in (tmp_path / "keys").glob("*.key"):
        file.rename(file.with_suffix(".away"))
    assert main(["migrate"]) == 2
    assert "no keys in" in capsys.readouterr().err
    assert rows_of(old_data) == earlier_rows
