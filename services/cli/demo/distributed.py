"""A trial by a process for each role, on PostgreSQL and Kafka; proven to be the same."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from services.cli.command import CommandError
from services.cli.demo import embedded
from services.cli.demo.feed import enter, wait_until_told
from services.cli.demo.mail_sink import MailSink
from services.cli.process.processes import Processes
from services.cli.shared.open_study import StudyContext, count_kept, migrate
from services.cli.shared.records_table import canonical_lines
from services.runtime.kafka import (
    KafkaUnavailableError,
    TopicsError,
    check_topics,
    count_records,
    create_topics,
)
from services.runtime.settings import KafkaSettings, StoreSettings, read_settings
from services.runtime.topics import load_topics
from services.safety_rules.inquiries import verify
from services.simulator.trial import SimulatedTrial
from services.store import records

ROLES = ("alerts", "rules", "relay", "ingest")


def require_servers() -> None:
    """Return when a PostgreSQL database and brokers are named.

    Raises:
        CommandError: They are not; says how to have them.
    """
    url = read_settings(StoreSettings).database_url
    if not url.startswith("postgresql") or not read_settings(KafkaSettings).servers:
        raise CommandError(
            "--distributed needs PostgreSQL and Kafka, both empty: name them in AEGIS_DATABASE_URL"
            " (postgresql+psycopg://USER@HOST/NAME) and AEGIS_KAFKA (HOST:PORT);"
            " `make demo-distributed` starts them, runs this, and ends them"
        )


def run(
    trial: SimulatedTrial, study: Path, out: Path, written: Path, sink: MailSink
) -> tuple[StudyContext, int, int]:
    """Start the roles, enrol, feed, wait until everything is graded and told, and end them.

    Args:
        trial: As it was written to the folder *written*.
        study: Folder of its rules.
        out: Folder of the keys, with a folder ``log``.
        written: Folder.
        sink: Takes the mails.

    Returns:
        What came of it, how many messages were sent, and how many of them were refused.

    Raises:
        CommandError: A server cannot be reached or is not empty, a process ended, or it takes too
            long.
    """
    settings = read_settings(StoreSettings, data=out, keys=None, study=study, clock="message")
    _prepare(settings)
    context = migrate(settings)
    told = {
        "AEGIS_DATA": str(out.absolute()),
        "AEGIS_KEYS": str(settings.keys_folder.absolute()),
        "AEGIS_STUDY": str(study.absolute()),
        "AEGIS_CLOCK": "message",
        "AEGIS_SMTP_HOST": "127.0.0.1",
        "AEGIS_SMTP_PORT": str(sink.port),
    }
    with Processes(ROLES, told, out / "log") as processes:
        sent, refused = enter(context, trial, written, processes.mllp_port, nullcontext)
        wait_until_told(context, processes.require)
    return context, sent, refused


def prove(context: StudyContext, trial: SimulatedTrial, study: Path, out: Path) -> bool:
    """Say whether one process makes the same records of *trial*, and a replay the same history."""
    with context.db.read() as conn:
        here = canonical_lines(records.load_latest_episodes(conn))
        wrong = list(verify.find_mismatches(conn, context.study.rules, history=True))
    there = _embedded(trial, study, out)
    for one in wrong[:20]:
        print(f"{one.participant}: {one.problem}")
    print(f"replayed: {f'{len(wrong)} differences' if wrong else 'the same history'}")
    differs = len(set(here).symmetric_difference(there))
    print(
        f"records of one process: {f'{differs} lines differ' if differs else 'the same'},"
        f" byte for byte, of {len(there)}"
    )
    return not wrong and here == there


def _embedded(trial: SimulatedTrial, study: Path, out: Path) -> list[str]:
    alone = out / "embedded"
    (alone / "log").mkdir(parents=True)
    with MailSink(alone / "mails") as sink:
        context, _, _ = embedded.run(trial, study, alone, out / "trial", sink)
    with context.db.read() as conn:
        found = canonical_lines(records.load_latest_episodes(conn))
    context.db.close()
    return found


def _prepare(settings: StoreSettings) -> None:
    """Let there be topics; facts of another trial must be neither there nor in the database."""
    kept = count_kept(settings)
    brokers = read_settings(KafkaSettings)
    with _in_words():
        declared = load_topics(brokers.kafka_topics)
        create_topics(brokers, declared)
        check_topics(brokers, (topic.name for topic in declared.topics))
        announced = count_records(brokers, [topic.name for topic in declared.topics])
    if kept or announced:
        raise CommandError(
            f"the database holds {kept} messages and the topics {announced} records: a demo would"
            " be mixed with them; name servers that are empty, or run `make demo-distributed`"
        )


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (KafkaUnavailableError, TopicsError) as error:
        raise CommandError(str(error)) from error
