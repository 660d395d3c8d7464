"""Pages of the console over 10,000 records of 1,000 participants.

Measured, in milliseconds of one core: the whole answer of the server to one look, from the cookie
to the last byte; of many looks the time that 95 in 100 stay below (aim: 150). Records and
participants are of a real trial, each looked at for the first time in its process.

Compared to: that aim. The floor: the sign-in page, which asks the database nothing.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from shutil import copytree
from uuid import uuid4

import httpx
from sqlalchemy import insert
from starlette.applications import Starlette

from benchmarks.material import Material, open_data
from benchmarks.measuring import Measure
from services.acts.study_context import StudyContext
from services.console.application import make_routes
from services.console.sessions import BrowserSessions
from services.console.sign_in import SESSION
from services.console.visit import ConsoleContext
from services.people.administration import NewPerson, add_person
from services.people.sessions import begin_session
from services.runtime.clock import now_utc
from services.runtime.settings import PeopleSettings
from services.store import alerts, records
from services.store.board import open_board
from services.store.participants import Participant, add_participants
from services.store.session import Database
from services.store.sign_ins import Use
from services.store.tables import participant_state
from services.vocabulary.alert import Alert, AlertKind, Level
from services.vocabulary.episode import Episode
from services.vocabulary.person import Person, Role

_PARTICIPANTS, _RECORDS_EACH = 1_000, 10
_LOOKS, _SHARE = 40, 0.95
_AIM_MS = 150.0
_TOLD_FROM = 3  # grade
_START = datetime(2026, 1, 1, tzinfo=UTC)
_PASSWORD = "nobody signs in with it"  # noqa: S105 - of a benchmark


def measures(material: Material) -> list[Measure]:
    """Return a row for each kind of page."""
    folder = material.folder / "console"
    copytree(material.graded_installation, folder)
    context = open_data(folder)
    with context.db.read() as conn:
        real_records = [one for one in records.load_latest_episodes(conn) if not one.retracted]
    _add_records(context, real_records)
    app, cookies = _open_console(context)
    subjects = sorted({one.content.participant for one in real_records})
    pages = {
        "worklist": ["/worklist", "/worklist?grade=3", "/worklist?page=7"],
        "participant": [f"/participants/{subject}" for subject in subjects],
        "record": [f"/records/{one.id}" for one in real_records],
        "rule": [f"/rules/{rule.id}" for rule in context.study.rules.protocol.rules],
        "lists": ["/alerts", "/queries", "/parked", "/sites", "/rules", "/participants", "/clocks"],
    }
    ask = partial(_ask, app, cookies)
    ask("/worklist")  # a process reads all records when it starts
    floor = partial(_measure_p95, ask, ["/sign-in"])
    return [
        Measure(
            f"console.{name}: {_PARTICIPANTS * _RECORDS_EACH} records, p95 of a look",
            "ms",
            partial(_measure_p95, ask, addresses),
            {"aim": lambda: _AIM_MS, "floor: the sign-in page": floor},
        )
        for name, addresses in pages.items()
    ]


def _add_records(context: StudyContext, real_records: Sequence[Episode]) -> None:
    """Store more participants, each with records as those of the real ones."""
    names = [f"X-{number:04}" for number in range(_PARTICIPANTS)]
    with context.db.write() as conn:
        people = [Participant(name, context.study_id, "west") for name in names]
        add_participants(conn, people, _START)
        rows = [
            {"subject": name, "folded_through": 0, "version": 1,
             "rules_version": context.study.rules.version, "digest": "d",
             "quarantined_seq": None, "error": ""}
            for name in names
        ]  # fmt: skip
        conn.execute(insert(participant_state), rows)
        for number, name in enumerate(names):
            first = number * _RECORDS_EACH
            copies = [
                real_records[place % len(real_records)]
                for place in range(first, first + _RECORDS_EACH)
            ]
            episodes = [_copy_record(one, name) for one in copies]
            records.append_episodes(conn, episodes)
            alerts.upsert_alerts(
                conn, [_make_alert(context, one) for one in episodes if _alerts(one)]
            )


def _copy_record(episode: Episode, participant: str) -> Episode:
    content = replace(episode.content, participant=participant)
    return replace(episode, id=str(uuid4()), version=1, content=content)


def _alerts(episode: Episode) -> bool:
    """Return True if somebody is told of it."""
    return episode.content.worst.at_least >= _TOLD_FROM and not episode.content.before_exposure


def _make_alert(context: StudyContext, episode: Episode) -> Alert:
    return Alert(
        id=str(uuid4()),
        level=Level.PARTICIPANT,
        kind=AlertKind.EPISODE,
        study=context.study_id,
        about=episode.id,
        participant=episode.content.participant,
        grade=int(episode.content.worst.at_least),
        roles=("safety_officer",),
        escalate_to=(),
        acknowledge_within_s=86_400,
        opened_at=episode.recorded_at,
        detail=episode.content,
    )


def _open_console(context: StudyContext) -> tuple[Starlette, dict[str, str]]:
    """Return the console, and the cookie of an auditor: all pages but those of the board."""
    db: Database = context.db
    auditor = Person("auditor", "Auditor", "a@example.org", frozenset({Role.AUDITOR}))
    with db.write() as conn:
        add_person(conn, NewPerson(auditor, _PASSWORD, _START), now_utc(), actor="benchmark")
        session = begin_session(conn, auditor, Use.BROWSER, now_utc(), 43_200)
    sessions = BrowserSessions(db, context.keys, PeopleSettings(), now_utc)
    board = open_board(db, context.study_id)
    console = ConsoleContext(context, now_utc, sessions, board, list)
    return Starlette(routes=make_routes(console)), {SESSION: session.secret}


def _ask(app: Starlette, cookies: dict[str, str], address: str) -> float:
    """Look at a page; return the milliseconds that the server took."""

    async def look() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        url = "https://console.example"
        async with httpx.AsyncClient(transport=transport, base_url=url, cookies=cookies) as client:
            return await client.get(address)

    started_s = time.process_time()
    answer = asyncio.run(look())
    if answer.status_code != httpx.codes.OK and address != "/sign-in":
        raise RuntimeError(f"{address}: {answer.status_code}")
    return (time.process_time() - started_s) * 1000


def _measure_p95(ask: Callable[[str], float], addresses: Sequence[str]) -> float:
    costs = sorted(ask(addresses[number % len(addresses)]) for number in range(_LOOKS))
    return costs[int(_LOOKS * _SHARE) - 1]
