"""A running service shows what it does, and after a restart what is so."""

import time
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.alerts.acknowledgement import acknowledge
from services.cli.demo.mail_sink import MailSink
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import open_in
from services.ingest.mllp_client import send_messages
from services.runtime.clock import now_utc
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings
from services.runtime.store_settings import read_store_settings
from services.simulator.trial import simulate_trial
from services.store import alerts
from services.vocabulary.person import Actor
from tests.helpers.installation import STUDY, Installation

pytestmark = pytest.mark.slow

TRIAL = simulate_trial(7, seed=5, days=8)
# what only a correction, an escalation or an unreachable mail server would move
UNMOVED_GAUGES = {
    *("alert_escalations", "alerts_retracted", "oldest_undelivered_alert_seconds"),
    *("consumer_lag", "outbox_waiting"),  # of processes that work beside others on Kafka
    "graded_by_other_rules",  # after an upgrade
    "messages_to_reencrypt",  # after `aegis keys rotate`
    "connections_excluded",  # every sender of the trial is known
    *("boundary_answered", "sae_clock_left_seconds"),  # which persons move
    *("heartbeat_age_seconds", "silent_feeds"),  # what stands still moves them
    "unread_ranges",  # every range of the trial is one that is read
}


@pytest.fixture(scope="module")
def running_service(tmp_path_factory):
    """The address of a service that has taken a trial, and its installation."""
    folder = tmp_path_factory.mktemp("metrics")
    Installation(folder).enrol(TRIAL)
    context = open_in(read_store_settings(data=folder, study=STUDY))
    with MailSink(folder / "mails") as sink:
        service = Background(
            Service(
                context,
                ProcessSettings(
                    IngestSettings(mllp_port=0),
                    HttpSettings(http_port=0),
                    AlertSettings(smtp_host="127.0.0.1", smtp_port=sink.port),
                ),
            )
        )
        ports = service.start()
        assert all(a.code == "AA" for a in send_messages("127.0.0.1", ports.mllp, TRIAL.messages))
        yield f"http://127.0.0.1:{ports.http}", context
        service.stop()


def small_demo(url):
    with urllib.request.urlopen(f"{url}/metrics") as answer:  # noqa: S310 - its own port
        text = answer.read().decode()
    families = text_string_to_metric_families(text)
    return {
        family.name.removeprefix("aegis_"): family.samples
        for family in families
        if not family.name.endswith("_created")
    }


def deadline(url, holds):
    for _ in range(300):
        clock_time = small_demo(url)
        if holds(clock_time):
            return clock_time
        time.sleep(0.2)
    raise AssertionError({name: samples[:3] for name, samples in clock_time.items()})


def moved_facts(samples):
    return any(sample.value for sample in samples)


def test_every_metric_moves(running_service):
    url, context = running_service
    deadline(
        url,
        lambda clock_time: (
            moved_facts(clock_time["deliveries"])
            and not moved_facts(clock_time["journal_unhandled"])
        ),
    )
    with context.db.read() as conn:
        first = alerts.load_alerts(conn)[0]
    acknowledge(context.db, first.id, Actor("lee", "Lee"), "", now_utc())
    unmoved_gauges = UNMOVED_GAUGES | {"commit_age_seconds", "journal_unhandled"}
    clock_time = deadline(
        url,
        lambda clock_time: all(
            moved_facts(clock_time[name]) for name in clock_time.keys() - unmoved_gauges
        ),
    )
    uses = {sample.labels["result"]: sample.value for sample in clock_time["rules_cache_uses"]}
    assert uses["miss"] > 0
    assert uses["eviction"] == 0


def test_no_label_names_a_participant_or_a_message(running_service):
    url, _ = running_service
    labels = {
        value
        for samples in small_demo(url).values()
        for s in samples
        for value in s.labels.values()
    }
    assert labels
    assert not [value for value in labels if value.startswith("P-") or "0000" in value]


def test_it_is_ready_when_nothing_waits(running_service):
    url, _ = running_service
    for page in ("healthz", "readyz"):
        with urllib.request.urlopen(f"{url}/{page}") as answer:  # noqa: S310 - its own port
            assert answer.status == 200
