"""``aegis clocks``: the deadlines of serious adverse events, on the data of a trial."""

import json
from datetime import timedelta

import pytest

from services.runtime.clock import now_utc
from services.store import acts, sae_clocks
from services.store.records import load_latest_episodes
from services.vocabulary.clinical_fact import Movement
from tests.helpers.fact_notes import fact
from tests.helpers.people import sign_in
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def trial(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    monkeypatch.setenv("AEGIS_STUDY", str(FOLDER))
    timeline = Timeline(tmp_path)
    timeline.treat("P-001", "P-002")
    timeline.potassium("6.5", hour=1)  # grade 3, and moved to intensive care
    timeline.say(fact(Movement("icu"), 2, subject="P-001"))
    timeline.potassium("7.5", name="P-002", hour=1)  # grade 4 of the laboratory alone
    timeline.advance_to(3)
    sign_in(tmp_path, "anna", db=timeline.db)
    yield timeline
    timeline.close()


@pytest.fixture
def record(trial):
    with trial.db.read() as conn:
        episodes = load_latest_episodes(conn, "P-001")
    return next(one for one in episodes if one.content.term == "Hyperkalemia")


def write_instant(instant):
    return f"{instant:%Y-%m-%dT%H:%MZ}"


def list_clocks(aegis, record, *words):
    _, output = aegis("clocks", "list", "--json", *words)
    clocks = [json.loads(line) for line in output.out.splitlines()]
    assert {one["participant"] for one in clocks} <= {"P-001"}
    return [one for one in clocks if one["record"] == record.id]


def test_what_facts_say_may_be_serious_is_proposed_and_a_laboratory_grade_4_alone_is_not(
    record, aegis
):
    (proposal,) = list_clocks(aegis, record)
    assert (proposal["record"], proposal["state"]) == (record.id, "proposed")
    assert (proposal["clocks"], proposal["reasons"]) == (["24h", "15d"], ["hospitalization"])
    assert "proposed: hospitalization" in aegis("clocks", "list")[1].out


def test_clocks_run_from_the_stated_time_of_awareness_and_are_closed_with_a_reason(
    trial, record, aegis
):
    aware_at = now_utc().replace(second=0, microsecond=0) - timedelta(hours=20)
    start = ["start", record.id[:8], "--clock", "24h", "--clock", "15d"]
    words = ["--aware-at", write_instant(aware_at), "--reason", "in intensive care"]
    code, output = aegis("clocks", *start, *words)
    assert (code, output.out.count("clock runs until")) == (0, 2)
    by_kind = {one["clock"]: one for one in list_clocks(aegis, record)}
    day, weeks = by_kind["24h"], by_kind["15d"]
    assert 3 * 3600 < day["left_s"] <= 4 * 3600
    assert day["due_at"].startswith(f"{aware_at + timedelta(hours=24):%Y-%m-%dT%H:%M}")
    assert weeks["due_at"].startswith(f"{aware_at + timedelta(days=15):%Y-%m-%dT%H:%M}")
    assert (day["state"], weeks["state"], day["started_by"]) == ("last quarter", "running", "anna")
    assert "3 h left" in aegis("clocks", "list")[1].out

    code, _ = aegis("clocks", "close", record.id[:8], "--clock", "24h", "--reason", "reported")
    assert code == 0
    assert [one["clock"] for one in list_clocks(aegis, record)] == ["15d"]
    assert {one["state"] for one in list_clocks(aegis, record, "--all")} == {"closed", "running"}
    with trial.db.read() as conn:
        kinds = [str(one.kind) for one in acts.load_acts(conn)]
    assert sorted(kinds) == [
        "activate-study",  # whose protocol says how long a clock runs
        *("close-clock", "set-seriousness", "start-clock", "start-clock"),
    ]


def test_a_record_that_a_person_calls_not_serious_is_proposed_no_more(record, aegis):
    code, output = aegis(
        "clocks", "set", record.id[:8], "not-serious", "--reason", "a planned move"
    )
    assert (code, output.out) == (0, "Hyperkalemia: not serious, by anna\n")
    assert list_clocks(aegis, record) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["start", "--clock", "24h", "--aware-at", "2999-01-01T00:00Z"], "lies in the future"),
        (
            ["start", "--clock", "24h", "--aware-at", "2026-03-01T08:59Z"],
            "the record begins at 2026-03-01T09:00Z",
        ),
        (["start", "--clock", "24h", "--aware-at", "1900-01-01T00:00Z"], "the record begins at"),
        (["close", "--clock", "24h"], "no 24h clock of this record was started"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(trial, record, aegis, words, problem):
    word, *rest = words
    code, output = aegis("clocks", word, record.id[:8], *rest, "--reason", "r")
    assert code == 2
    assert problem in output.err
    with trial.db.read() as conn:
        assert sae_clocks.load_clocks(conn) == []


def test_a_clock_is_started_once_and_closed_once(record, aegis):
    start = ["start", record.id[:8], "--clock", "7d", "--aware-at", "2026-03-01T09:00Z"]
    close = ["close", record.id[:8], "--clock", "7d"]
    answers = [aegis("clocks", *words, "--reason", "r") for words in (start, start, close, close)]
    assert [code for code, _ in answers] == [0, 2, 0, 2]
    assert "was started before" in answers[1][1].err
    assert "was closed before" in answers[3][1].err


def test_a_mistyped_time_is_corrected_by_a_clock_that_is_closed_and_started_again(record, aegis):
    start = ["start", record.id[:8], "--clock", "7d", "--aware-at"]
    close = ["close", record.id[:8], "--clock", "7d"]
    for words in (
        [*start, "2026-03-02T09:00Z"], close, [*start, "2026-03-01T09:30Z"], close,
        [*start, "2026-03-01T10:00Z"],
    ):  # fmt: skip
        code, answer = aegis("clocks", *words, "--reason", "r")
        assert code == 0, answer.err
    (clock,) = list_clocks(aegis, record)
    assert clock["due_at"].startswith("2026-03-08T10:00")
    assert len(list_clocks(aegis, record, "--all")) == 3


def test_a_record_is_not_serious_only_after_its_clocks_are_closed(record, aegis):
    start = ["start", record.id[:8], "--clock", "7d", "--aware-at", "2026-03-01T09:00Z"]
    decide = ["set", record.id[:8], "not-serious"]
    close = ["close", record.id[:8], "--clock", "7d"]
    answers = [aegis("clocks", *words, "--reason", "r") for words in (start, decide, close, decide)]
    assert [code for code, _ in answers] == [0, 2, 0, 0]
    assert "the 7d clock of this record runs: close it first" in answers[1][1].err
