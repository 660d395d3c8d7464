"""A trial in one process, on a database in a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.cli.demo.feed import enter, wait_until_told
from services.cli.demo.mail_sink import MailSink
from services.cli.process.background import Background
from services.cli.process.roles.parts import Told
from services.cli.process.service import Service
from services.cli.shared.open_study import StudyContext, open_in
from services.runtime import log
from services.runtime.settings import (
    AlertSettings,
    HttpSettings,
    IngestSettings,
    KafkaSettings,
    StoreSettings,
)
from services.simulator.trial import SimulatedTrial


def run(
    trial: SimulatedTrial, study: Path, out: Path, written: Path, sink: MailSink
) -> tuple[StudyContext, int, int]:
    """Serve, enrol, feed day by day, and wait each day until everything is graded and told.

    Args:
        trial: As it was written to the folder *written*.
        study: Folder of its rules.
        out: Folder of the data, with a folder ``log``.
        written: Folder.
        sink: Takes the mails.

    Returns:
        What came of it, how many messages were sent, and how many of them were refused.
    """
    settings = StoreSettings(data=out, database_url="", keys=None, study=study, clock="message")
    context = open_in(settings)
    rules_turn = threading.Lock()
    with (out / "log" / "aegis.log").open("w") as stream:
        log.configure_logging(as_json=True, stream=stream)
        service = Service(
            context,
            Told(
                IngestSettings(mllp_port=0),
                HttpSettings(http_port=0),
                AlertSettings(smtp_host="127.0.0.1", smtp_port=sink.port),
                KafkaSettings(kafka=""),
                rules_turn=rules_turn,
            ),
        )
        running = Background(service)
        ports = running.start()

        @contextmanager
        def whole_day() -> Iterator[None]:
            with rules_turn:
                yield
            wait_until_told(context, looks=1, rest_s=0.02)

        try:
            sent, refused = enter(context, trial, written, ports.mllp, whole_day)
            wait_until_told(context)
        finally:
            running.stop()
    return context, sent, refused
