"""A trial in one process, on a database in a file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.acts.study_context import StudyContext
from services.cli.demo.demo_people import make_demo_people
from services.cli.demo.feed import feed_trial, wait_until_idle
from services.cli.demo.mail_sink import MailSink
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import open_in
from services.runtime import log
from services.runtime.settings import (
    AlertSettings,
    HttpSettings,
    IngestSettings,
    KafkaSettings,
)
from services.runtime.store_settings import read_store_settings
from services.simulator.trial import SimulatedTrial


def run(
    trial: SimulatedTrial, study: Path, folder: Path, trial_folder: Path, sink: MailSink
) -> tuple[StudyContext, int, int]:
    """Serve, enrol, feed day by day, and wait each day until everything is graded and told.

    Args:
        trial: As it was written to *trial_folder*.
        study: Folder of its rules.
        folder: Of the data, with a folder ``log``.
        trial_folder: Of the messages.
        sink: Takes the mails.

    Returns:
        The study with its data, the number of messages sent, and the number of those refused.
    """
    settings = read_store_settings(
        data=folder, database_url="", keys=None, study=study, clock="message"
    )
    context = open_in(settings)
    make_demo_people(context, folder)
    rules_turn = threading.Lock()
    with (folder / "log" / "aegis.log").open("w") as stream:
        log.configure_logging(as_json=True, stream=stream)
        service = Service(
            context,
            ProcessSettings(
                IngestSettings(mllp_port=0),
                HttpSettings(http_port=0),
                AlertSettings(smtp_host="127.0.0.1", smtp_port=sink.port),
                KafkaSettings(kafka=""),
                rules_turn=rules_turn,
            ),
        )
        background = Background(service)
        ports = background.start()

        @contextmanager
        def whole_day() -> Iterator[None]:
            with rules_turn:
                yield
            wait_until_idle(context, looks=1, rest_s=0.02)

        try:
            sent_count, refused_count = feed_trial(
                context, trial, trial_folder, ports.mllp, whole_day
            )
            wait_until_idle(context)
        finally:
            background.stop()
    return context, sent_count, refused_count
