"""Notices: from an alert that is stored to a mail that is accepted, and how fast many drain.

Measured: the real worker of the alerts on SQLite and a mail server of this process, over sockets.
The wait is that of one alert after the other, each to one recipient, 99 % of them; required: below
a second. The rate is that of 10,000 notices that wait for 100 recipients.

The floor: the same mail, handed to the same server by smtplib alone.
"""

import smtplib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from aiosmtpd.controller import Controller

from benchmarks.material import Material
from benchmarks.measuring import Measure
from deploy.local.places import free_port
from services.alerts.adapters.channels import make_channels
from services.alerts.delivery_context import DeliveryContext
from services.alerts.delivery_worker import DeliveryWorker
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.runtime.clock import now_utc
from services.runtime.settings import AlertSettings
from services.store import alerts
from services.store.schema import upgrade
from services.store.session import Database
from services.store.vault import Keys
from services.vocabulary.alert import Alert, AlertKind, DeathDetail, Level

_WAITS, _RECIPIENTS, _ALERTS = 100, 100, 100
_STUDY = "T"
_MAIL = b"Subject: [T] P-001: Anemia, grade 3, suspected\r\n\r\n" + b"Suspected.\r\n" * 40


class MailServer:
    """Takes every mail, and remembers when."""

    def __init__(self) -> None:
        """Listen."""
        self.times: list[float] = []
        self.port = free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self._controller.start()

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802, ANN401 - as aiosmtpd calls it
        """Take the mail."""
        self.times.append(time.perf_counter())
        return "250 OK"

    def stop(self) -> None:
        """Listen no longer."""
        self._controller.stop()

    def wait_for(self, count: int) -> float:
        """Return when the mail *count* came."""
        while len(self.times) < count:
            time.sleep(0.001)
        return self.times[count - 1]


def measures(material: Material) -> list[Measure]:
    """Return the wait for one notice, and the rate of many."""
    count = _RECIPIENTS * _ALERTS
    return [
        Measure(
            "alert stored to mail accepted, p99",
            "ms",
            lambda: _measure_wait_ms(material.folder),
            {"smtplib alone": lambda: _measure_floor_ms(_WAITS, as_rate=False)},
        ),
        Measure(
            f"{count:,} waiting notices drained",
            "notices/s",
            lambda: _measure_rate(material.folder),
            {"smtplib alone": lambda: _measure_floor_ms(1000, as_rate=True)},
        ),
    ]


def _measure_wait_ms(folder: Path) -> float:
    with _running_worker(folder, ("chair",)) as (context, server, _):
        waits_s = []
        for number in range(_WAITS):
            with context.db.write() as conn:
                alerts.upsert_alerts(conn, [_make_alert(number)])
            stored_s = time.perf_counter()
            waits_s.append(server.wait_for(number + 1) - stored_s)
    return 1000 * quantiles(waits_s, n=100)[-1]


def _measure_rate(folder: Path) -> float:
    names = tuple(f"person-{number}" for number in range(_RECIPIENTS))
    with _running_worker(folder, names, is_started=False) as (context, server, start):
        with context.db.write() as conn:
            alerts.upsert_alerts(conn, [_make_alert(number) for number in range(_ALERTS)])
        began_s = time.perf_counter()
        start()
        count = _RECIPIENTS * _ALERTS
        return count / (server.wait_for(count) - began_s)


def _make_alert(number: int) -> Alert:
    return Alert(
        id=f"{number:036d}",
        level=Level.PARTICIPANT,
        kind=AlertKind.DEATH,
        study=_STUDY,
        about="P-001",
        participant="P-001",
        grade=5,
        roles=("desk",),
        escalate_to=(),
        acknowledge_within_s=86_400,
        opened_at=now_utc(),
        detail=DeathDetail("", 78, 4),
        protocol="protocol v1 DRAFT, signed by nobody",
    )


def _measure_floor_ms(count: int, *, as_rate: bool) -> float:
    """Return the 99th percentile of the waits in ms, or the mails in a second."""
    server = MailServer()
    waits_s = []
    for _ in range(count):
        began_s = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as client:
            client.sendmail("aegis@x.org", ["chair@x.org"], _MAIL)
        waits_s.append(time.perf_counter() - began_s)
    server.stop()
    return count / sum(waits_s) if as_rate else 1000 * quantiles(waits_s, n=100)[-1]


@contextmanager
def _running_worker(
    folder: Path, names: tuple[str, ...], *, is_started: bool = True
) -> Iterator[tuple[DeliveryContext, MailServer, Any]]:
    with TemporaryDirectory(dir=folder) as temporary:
        db = Database.open(f"sqlite:///{temporary}/aegis.db")
        upgrade(db)
        keys = Keys.load_or_create(Path(temporary) / "keys")
        server = MailServer()
        settings = AlertSettings(smtp_host="127.0.0.1", smtp_port=server.port)
        people = tuple(Recipient("desk", name, Channel.EMAIL, f"{name}@x.org") for name in names)
        context = DeliveryContext(
            db,
            keys,
            _STUDY,
            Recipients({"desk": people}),
            make_channels(settings),
            now_utc,
            "http://x",
        )
        worker, stop = DeliveryWorker(context, "bench"), threading.Event()
        thread = threading.Thread(target=worker.run, args=(stop,))
        if is_started:
            thread.start()
        yield context, server, thread.start
        stop.set()
        thread.join()
        server.stop()
        db.close()
