"""The console is killed in the middle of a signature: it is whole, or there is none."""

import re

import httpx
import pytest

from services.simulator.trial import simulate_trial
from services.store import acts, journal, records
from services.store.acts import ActFilter
from services.vocabulary.act import ActKind
from services.vocabulary.person import Role
from tests.helpers.embedded_service import EmbeddedService
from tests.helpers.installation import Installation
from tests.helpers.people import PASSWORD, make_person

pytestmark = pytest.mark.slow

_TOKEN = re.compile(r'name="csrf" value="([^"]*)"')
_SEEN_FIELD = re.compile(r'name="seen" value="([^"]*)"')


@pytest.fixture
def installation(tmp_path):
    """A small trial, graded, and a safety officer."""
    installation = Installation(tmp_path / "data")
    installation.fill(simulate_trial(2, seed=5, days=6))
    make_person(installation.db, "safety", Role.SAFETY_OFFICER)
    yield installation
    installation.db.close()


def confirm(port, record):
    """Sign *record* as a browser does; it keeps a cookie that is sent to the own machine."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        first = http.get("/sign-in")
        cookie = first.headers["set-cookie"].partition(";")[0]
        form = {"person": "safety", "password": PASSWORD, "next": "/"}
        form["csrf"] = _TOKEN.search(first.text)[1]
        answer = http.post("/sign-in", data=form, headers={"Cookie": cookie})
        session = next(
            one.partition(";")[0]
            for one in answer.headers.get_list("set-cookie")
            if one.startswith("__Host-aegis=")
        )
        headers = {"Cookie": session}
        page = http.get(f"/records/{record.id}", headers=headers).text
        form = {"verdict": "confirm", "reason": "seen in the chart", "password": PASSWORD}
        form |= {"csrf": _TOKEN.findall(page)[-1], "seen": _SEEN_FIELD.search(page)[1]}
        return http.post(f"/records/{record.id}", data=form, headers=headers).status_code


def count_written(installation):
    with installation.db.read() as conn:
        facts = journal.load_facts_of_kind(conn, "adjudication")
        return len(facts), len(acts.load_acts(conn, ActFilter(kinds=(ActKind.ADJUDICATE,))))


@pytest.mark.part11("11.70")
def test_a_signature_is_whole_or_is_not(installation):
    with installation.db.read() as conn:
        record = next(one for one in records.load_latest_episodes(conn) if not one.retracted)
    service = EmbeddedService(installation.context.settings.data)
    service.start("act.before_commit:1")
    with pytest.raises(httpx.RemoteProtocolError):
        confirm(service.http, record)
    service.process.wait(20)
    assert count_written(installation) == (0, 0)
    service.start()
    assert confirm(service.http, record) == 303
    service.stop()
    assert count_written(installation) == (1, 1)
    assert installation.find_mismatches() == []
