"""An installation of the trial's study in this process, with data of its own."""

import json
from pathlib import Path

from services.acts.intake import make_intake
from services.cli.shared.open_study import open_in
from services.cli.shared.records_table import write_canonical_lines
from services.cli.shared.verification import find_all_faults
from services.ingest.enrolment import import_participants
from services.ingest.intake import Submission
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.safety_rules.reports import verify
from services.safety_rules.workers.journal_worker import JournalWorker
from services.simulator.trial import list_facts, write_participants_csv
from services.store import records

STUDY = Path(__file__).parents[2] / "studies" / "blina-hsct"


class Installation:
    """A study, with data in *folder*; its clock is that of the messages by default."""

    def __init__(self, folder, clock="message", study=STUDY):
        self.context = open_in(read_store_settings(data=folder, study=study, clock=clock))
        self.db = self.context.db
        self.intake = make_intake(self.context)
        self.worker = JournalWorker(
            self.db, self.context.study.rules, "test", now_utc, by_message=clock == "message"
        )

    def enrol(self, trial):
        """Import all participants of *trial*."""
        import_participants(self.intake, write_participants_csv(trial).encode(), "test")

    def accept(self, messages, at_once=64):
        """Accept *messages* of HL7 or facts, so many in one transaction."""
        for start in range(0, len(messages), at_once):
            submissions = [
                Submission(body, "file", form="facts" if body.startswith(b"{") else "hl7v2")
                for body in messages[start : start + at_once]
            ]
            assert not [o.refusal for o in self.intake.accept(submissions) if o.refusal]

    def settle(self):
        """Grade all facts that are not graded yet."""
        assert self.worker.settle()

    def fill(self, trial):
        """Enrol *trial*, accept all of it, and grade it."""
        self.enrol(trial)
        self.accept(messages_of(trial))
        self.settle()

    def canonical(self):
        """Return the current content of all records."""
        with self.db.read() as conn:
            return write_canonical_lines(records.load_latest_episodes(conn))

    def find_mismatches(self):
        """Return the findings of `aegis verify` and the mismatches of `aegis replay`."""
        with self.db.read() as conn:
            mismatches = verify.find_all_mismatches(conn, self.context.study.rules, history=True)
            return [*find_all_faults(self.context, conn), *mismatches]


def messages_of(trial):
    """Return the feed of *trial* and the facts that no feed carries, each as one message."""
    return [*trial.messages, *(json.dumps(line).encode() for line in list_facts(trial))]
