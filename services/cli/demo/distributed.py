"""A trial by a process for each role, on PostgreSQL and Kafka; proven to be the same."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from services.acts.study_context import StudyContext
from services.cli.command import CommandError
from services.cli.demo import embedded
from services.cli.demo.demo_people import make_demo_people
from services.cli.demo.feed import feed_trial, wait_until_idle
from services.cli.demo.mail_sink import MailSink
from services.cli.process.processes import Processes
from services.cli.shared.open_study import count_stored_messages, migrate
from services.cli.shared.records_table import write_canonical_lines
from services.runtime.kafka import (
    KafkaUnavailableError,
    TopicsError,
    check_topics,
    count_records,
    create_topics,
)
from services.runtime.settings import KafkaSettings, read_settings
from services.runtime.store_settings import StoreSettings, read_store_settings
from services.runtime.topics import load_topics
from services.safety_rules.reports import verify
from services.simulator.trial import SimulatedTrial
from services.store import records

ROLES = ("alerts", "rules", "relay", "ingest")


def require_servers() -> None:
    """Check that a PostgreSQL database and brokers are named.

    Raises:
        CommandError: They are not; says how to have them.
    """
    url = read_store_settings().database_url
    if not url.startswith("postgresql") or not read_settings(KafkaSettings).servers:
        raise CommandError(
            "--distributed needs PostgreSQL and Kafka, both empty: name them in AEGIS_DATABASE_URL"
            " (postgresql+psycopg://USER@HOST/NAME) and AEGIS_KAFKA (HOST:PORT);"
            " `make demo-distributed` starts them, runs this, and ends them"
        )


def run(
    trial: SimulatedTrial, study: Path, folder: Path, trial_folder: Path, sink: MailSink
) -> tuple[StudyContext, int, int]:
    """Start the roles, enrol, feed, wait until everything is graded and told, and end them.

    Args:
        trial: As it was written to *trial_folder*.
        study: Folder of its rules.
        folder: Of the keys, with a folder ``log``.
        trial_folder: Of the messages.
        sink: Takes the mails.

    Returns:
        The study with its data, the number of messages sent, and the number of those refused.

    Raises:
        CommandError: A server cannot be reached or is not empty, a process ended, or it takes too
            long.
    """
    settings = read_store_settings(data=folder, keys=None, study=study, clock="message")
    _prepare(settings)
    context = migrate(settings)
    make_demo_people(context, folder)
    environment = {
        "AEGIS_DATA": str(folder.absolute()),
        "AEGIS_KEYS": str(settings.keys_folder.absolute()),
        "AEGIS_STUDY": str(study.absolute()),
        "AEGIS_CLOCK": "message",
        "AEGIS_SMTP_HOST": "127.0.0.1",
        "AEGIS_SMTP_PORT": str(sink.port),
    }
    with Processes(ROLES, environment, folder / "log") as processes:
        sent_count, refused_count = feed_trial(
            context, trial, trial_folder, processes.mllp_port, nullcontext
        )
        wait_until_idle(context, processes.require_running)
    return context, sent_count, refused_count


def prove(context: StudyContext, trial: SimulatedTrial, study: Path, folder: Path) -> bool:
    """True when one process makes the same records of *trial*, and a replay the same history."""
    with context.db.read() as conn:
        lines = write_canonical_lines(records.load_latest_episodes(conn))
        mismatches = list(verify.find_all_mismatches(conn, context.study.rules, history=True))
    embedded_lines = _run_embedded(trial, study, folder)
    for mismatch in mismatches[:20]:
        print(f"{mismatch.participant}: {mismatch.problem}")
    print(f"replayed: {f'{len(mismatches)} differences' if mismatches else 'the same history'}")
    count = len(set(lines).symmetric_difference(embedded_lines))
    print(
        f"records of one process: {f'{count} lines differ' if count else 'the same'},"
        f" byte for byte, of {len(embedded_lines)}"
    )
    return not mismatches and lines == embedded_lines


def _run_embedded(trial: SimulatedTrial, study: Path, folder: Path) -> list[str]:
    embedded_folder = folder / "embedded"
    (embedded_folder / "log").mkdir(parents=True)
    with MailSink(embedded_folder / "mails") as sink:
        context, _, _ = embedded.run(trial, study, embedded_folder, folder / "trial", sink)
    with context.db.read() as conn:
        lines = write_canonical_lines(records.load_latest_episodes(conn))
    context.db.close()
    return lines


def _prepare(settings: StoreSettings) -> None:
    """Let there be topics; facts of another trial must be neither there nor in the database."""
    message_count = count_stored_messages(settings)
    brokers = read_settings(KafkaSettings)
    with _explain_kafka_errors():
        topics = load_topics(brokers.kafka_topics)
        create_topics(brokers, topics)
        check_topics(brokers, (topic.name for topic in topics.topics))
        record_count = count_records(brokers, [topic.name for topic in topics.topics])
    if message_count or record_count:
        raise CommandError(
            f"the database holds {message_count} messages and the topics {record_count} records:"
            " a demo would be mixed with them; name servers that are empty, or run"
            " `make demo-distributed`"
        )


@contextmanager
def _explain_kafka_errors() -> Iterator[None]:
    try:
        yield
    except (KafkaUnavailableError, TopicsError) as error:
        raise CommandError(str(error)) from error
