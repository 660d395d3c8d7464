"""`aegis verify` tells audit rows without a seal, and a database that is older than an anchor."""

import json
import shutil
from datetime import timedelta

import pytest

from services.cli.main import main
from services.cli.shared import verification
from services.runtime.clock import now_utc
from services.simulator.trial import simulate_trial
from services.store import leases
from services.store.held_lease import HeldLease
from services.store.seal_worker import seal_new_rows
from tests.helpers.installation import Installation, messages_of

pytestmark = pytest.mark.slow


@pytest.fixture
def installation(tmp_path):
    """Return an installation that has taken some messages, none of which is sealed."""
    installation = Installation(tmp_path / "data")
    trial = simulate_trial(2, seed=5, days=1)
    installation.enrol(trial)
    installation.messages = messages_of(trial)
    installation.accept(installation.messages[:20])
    installation.settle()
    yield installation
    installation.db.close()


def seal(installation):
    lease = HeldLease(installation.db, "sealer", "test", now_utc)
    seal_new_rows(lease, installation.context.keys)
    lease.release()


@pytest.fixture
def verify(tmp_path, capsys):
    """Return a function that runs ``aegis verify``, and returns exit code, findings and counts."""

    def run_verify(*words, data=tmp_path / "data"):
        capsys.readouterr()
        code = main(["verify", "--json", "--data", str(data), *words])
        *findings, counts = map(json.loads, capsys.readouterr().out.splitlines())
        return code, [one["finding"] for one in findings], counts

    return run_verify


def test_rows_that_are_not_sealed_are_counted_and_are_no_fault(installation, verify, capsys):
    code, findings, counts = verify()
    assert (code, findings, counts["head"]) == (0, [], None)
    with installation.db.read() as conn:
        query = "SELECT count(*), min(at) FROM audit"
        assert (counts["unsealed"], counts["unsealed_since"][:19]) == tuple(
            value if isinstance(value, int) else value[:19]
            for value in conn.exec_driver_sql(query).one()
        )
    assert main(["verify", "--data", str(installation.context.settings.data)]) == 0
    assert f"{counts['unsealed']} rows since " in capsys.readouterr().out
    seal(installation)
    code, findings, counts = verify()
    assert (code, findings, counts["unsealed_since"]) == (0, [], counts["unsealed_since"])
    assert counts["unsealed"] <= 2  # of the lease
    assert counts["head"]


@pytest.mark.parametrize(
    ("age", "is_found"), [(timedelta(seconds=90), True), (timedelta(seconds=30), False)]
)
def test_rows_wait_too_long_where_a_service_runs_that_should_seal(
    installation, verify, monkeypatch, age, is_found
):
    monkeypatch.setattr(verification, "_SEALER_PATIENCE_S", 0.0)
    later = now_utc() + age
    monkeypatch.setattr(verification, "now_utc", lambda: later)
    with installation.db.write() as conn:
        leases.acquire_lease(conn, "sealer", "another", later, 30)
    code, findings, _ = verify()
    assert (code, len(findings)) == (int(is_found), int(is_found)), findings
    assert all("are not sealed, although a service runs that seals" in one for one in findings)


@pytest.mark.usefixtures("installation")
def test_where_no_service_runs_rows_may_wait_for_long(verify, monkeypatch):
    later = now_utc() + timedelta(days=30)
    monkeypatch.setattr(verification, "now_utc", lambda: later)
    code, findings, counts = verify()
    assert (code, findings) == (0, [])
    assert counts["unsealed"]


@pytest.mark.part11("11.10(e)")
def test_a_copy_that_is_older_than_an_anchor_is_found(installation, verify, tmp_path):
    seal(installation)
    earlier_head = verify()[2]["head"]
    shutil.copytree(tmp_path / "data", tmp_path / "earlier")
    installation.accept(installation.messages[20:30])
    seal(installation)
    head = verify()[2]["head"]
    assert head != earlier_head
    for anchor in (earlier_head, head):
        assert verify("--anchor", anchor)[:2] == (0, [])
    assert verify("--anchor", earlier_head, data=tmp_path / "earlier")[:2] == (0, [])
    code, findings, _ = verify("--anchor", head, data=tmp_path / "earlier")
    assert code == 1
    (finding,) = findings
    assert "the database is older than the anchor: its sealed audit trail ends at row " in finding
    assert f"and row {head.partition('-')[0]} was sealed" in finding


def test_another_history_and_no_history_are_found(installation, verify):
    anchor = f"7-{'ab' * 32}"
    (finding,) = verify("--anchor", anchor)[1]
    assert "its sealed audit trail has no seal, and row 7 was sealed" in finding
    seal(installation)
    (finding,) = verify("--anchor", anchor)[1]
    assert "the audit trail is another than that of the anchor: no seal of row 7" in finding


@pytest.mark.parametrize("text", ["", "7", "7-abc", f"-{'ab' * 32}", f"x-{'ab' * 32}"])
def test_what_is_no_anchor_is_refused(installation, capsys, text):
    data = str(installation.context.settings.data)
    assert main(["verify", f"--anchor={text}", "--data", data]) == 2
    assert "an anchor is ROW-HASH, as `aegis verify` prints it" in capsys.readouterr().err
