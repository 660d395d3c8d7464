"""One life of the distributed service: fed, hurt, left to come to rest, and proven."""

import threading
import time
from collections import Counter
from email import message_from_bytes

from sqlalchemy import text

from services.cli.demo.mail_sink import MailSink
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.safety_rules.application.decide_study import decide_rules, extract_news_fields
from services.simulator.trial import write_participants_csv
from services.store import alerts, decisions, journal, outbox, participants, timers
from services.store.session import Database
from services.store.site_numbers import hash_control_id
from services.store.vault import Keys
from tests.faults.answers import facts_of, open_alerts, what_is_open
from tests.helpers.distributed_service import AND, STUDY, Workers, wait_until
from tests.helpers.shared_study import load

RULES = load(STUDY).rules
REST_S = 300  # far more than it takes: whoever died is started again, and joins again


class Life:
    """The workers of one study on a database and topics of its own, and what they were given."""

    def __init__(self, folder, answers, servers, summary, **settings):
        self.folder, self.answers, self.summary = folder, answers, summary
        self.trial = answers.trial
        self.postgres, self.kafka = postgres, kafka = servers
        folder.mkdir(parents=True, exist_ok=True)
        self.sink = MailSink(folder / "mails")
        self.workers = Workers(
            folder,
            postgres,
            kafka.servers,
            self.sink.port,
            AEGIS_CLOCK=answers.clock,
            **settings,
        )
        self.db = Database.open(postgres.url)
        self.answered_messages = []
        self._is_over = False
        self._start = time.monotonic()

    def __enter__(self):
        self.sink.__enter__()
        self.workers.command("migrate")
        file = self.folder / "participants.csv"
        file.write_text(write_participants_csv(self.trial))
        self.workers.command("participants", "import", str(file))
        return self

    def __exit__(self, *_why):
        self._is_over = True
        self.workers.end()
        self.db.close()
        self.sink.__exit__(None, None, None)

    @property
    def remaining_messages(self):
        """The messages of the trial that are not acknowledged yet."""
        return self.trial.messages[len(self.answered_messages) :]

    def feed(self, count=None, at_once=40, between_s=0.0, *, revive=True):
        """Send the next *count* messages (all), until they are acknowledged.

        When ingest is dead it is started again (*revive*), or somebody else does that.
        """
        upto = len(self.trial.messages) if count is None else len(self.answered_messages) + count
        deadline = time.monotonic() + REST_S
        while len(self.answered_messages) < upto:
            assert time.monotonic() < deadline, f"not fed: {self.workers.dead()}"
            assert not self._is_over
            if revive and "ingest" not in self.workers:
                self.workers.revive()
            earlier = len(self.answered_messages)
            batch = self.trial.messages[earlier : min(upto, earlier + at_once)]
            self.answered_messages.extend(self.workers.feed(batch))
            if between_s or len(self.answered_messages) == earlier:
                time.sleep(between_s or 0.05)

    def feed_in_background(self, count=None, **how):
        """Feed beside what the test does; join what is returned."""
        return _BackgroundTask(lambda: self.feed(count, revive=False, **how))

    def wait_until_quiet(self, *, revive=True):
        """Return once nothing is left to do: folded, decided, announced, and told to people."""

        def is_over():
            if revive and self.workers.dead():
                self.workers.revive()
            return not self.waits()

        wait_until(is_over, REST_S, lambda: f"waits for: {self.waits()}\n{self._text()}")

    def waits(self):
        """The work that is left, by kind; empty once the service is at rest."""
        with self.db.read() as conn:
            waiting_counts = Counter(
                facts=journal.count_unhandled(conn), announcements=outbox.count_announcements(conn)
            )
            last = participants.find_last_received(conn, RULES.protocol.study)
            if self.answers.clock == "wall":
                last = now_utc()
            waiting_counts["timers"] = len(timers.load_due_timers(conn, last)) if last else 0
            open_alerts = {one.id for one in alerts.load_alerts(conn) if one.is_open}
            rows = alerts.load_deliveries(conn)
            waiting_counts["alerts not planned"] = len(open_alerts - {row.alert for row in rows})
            waiting_counts["notices"] = alerts.count_undelivered(conn)
            if not any(waiting_counts.values()):
                waiting_counts["decisions"] = len(_not_decided(conn))
        return {what: count for what, count in waiting_counts.items() if count}

    def prove(self, fault):
        """Assert that the records are the embedded service's, nothing lost or doubled."""
        command = self.workers.ask("verify", AND, "replay", AND, "records", "--canonical")
        code = command.wait_for_exit(120)
        *proofs, records = command.read_log().partition("replayed: the same history\n")
        answer = self.answers.answer_after(len(self.answered_messages))
        facts = Counter(facts_of(self.db))
        lost_facts = answer.facts - facts.keys()
        twice = [fact for fact, count in facts.items() if count > 1]
        self.summary.add(
            fault, self.workers.counts, facts=len(facts), lost=len(lost_facts), twice=len(twice),
            mails_again=self._mails_again(), seconds=time.monotonic() - self._start,
        )  # fmt: skip
        self.workers.counts.clear()
        self._start = time.monotonic()
        assert code == 0, command.read_log()
        assert "verified: nothing found" in proofs[0], command.read_log()
        assert proofs[1], command.read_log()
        assert not lost_facts, f"{len(lost_facts)} facts lost"
        assert not twice, f"{len(twice)} facts twice"
        assert facts.keys() == answer.facts
        assert tuple(filter(None, records.splitlines())) == answer.records
        assert self._not_stored() == set(), "acknowledged, and not there"
        assert what_is_open(self.db) == answer.what_is_open
        self._every_open_alert_was_told()

    def _not_stored(self):
        """The control ids of messages that were answered AA and are in no row."""
        with self.db.read() as conn:
            stored_hashes = set(conn.scalars(text("SELECT control_id FROM raw_message")))
        keys = Keys.load(self.folder / "keys")
        answered_ids = (_control_id(message) for message in self.answered_messages)
        return {hash_control_id(keys, number) for number in answered_ids} - stored_hashes

    def _every_open_alert_was_told(self):
        mails = [message_from_bytes(mail.read_bytes()) for mail in self.sink.mails]
        mailed_alerts = {mail["X-Aegis-Alert"] for mail in mails}
        assert {one.id for one in open_alerts(self.db)} <= mailed_alerts
        with self.db.read() as conn:
            alert_states = {f"<{row.id}@aegis.invalid>" for row in alerts.load_deliveries(conn)}
        assert {mail["Message-ID"] for mail in mails} <= alert_states, (
            "a mail of which nobody knows"
        )

    def _mails_again(self):
        ids = Counter(message_from_bytes(m.read_bytes())["Message-ID"] for m in self.sink.mails)
        return sum(ids.values()) - len(ids)

    def _text(self):
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text()[-1500:]}" for log in logs)


class _BackgroundTask:
    """A thread; what failed in it fails who joins it."""

    def __init__(self, does):
        self._error = None
        self._thread = threading.Thread(target=self._run_task, args=(does,), daemon=True)
        self._thread.start()

    def is_alive(self):
        return self._thread.is_alive()

    def wait(self, limit_s):
        """Wait until it is done, *limit_s* at most."""
        self._thread.join(limit_s)

    def join(self):
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run_task(self, does):
        try:
            does()
        except BaseException as error:  # noqa: BLE001 - raised by `join`
            self._error = error


def _not_decided(conn):
    """The rules that say something that no decision tells."""
    study = RULES.protocol.study
    decisions_by_rule = {
        row.decision.rule: row.decision for row in decisions.load_latest_decisions(conn, study)
    }
    return [
        one.rule
        for one in decide_rules(conn, RULES)
        if extract_news_fields(one) != extract_news_fields(decisions_by_rule.get(one.rule))
    ]


def _control_id(message):
    return message.split(b"\r", 1)[0].split(b"|")[9].decode()


def settings_of(life):
    """The settings under which a command in this process finds what *life* holds."""
    return read_store_settings(
        data=life.folder / "data", keys=life.folder / "keys",
        database_url=life.postgres.url, study=STUDY, clock="message",
    )  # fmt: skip
