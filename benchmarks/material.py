"""The material of every measure: one synthetic trial, and an installation that has read it all."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from shutil import copytree

from services.acts.intake import make_intake
from services.acts.study_context import StudyContext
from services.cli.shared.grade_entered_facts import grade_entered_facts
from services.cli.shared.open_study import open_in
from services.ingest.enrolment import import_participants
from services.ingest.intake import Intake, Submission
from services.ingest.writer import BATCH_SIZE
from services.runtime.store_settings import read_store_settings
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.simulator.trial import (
    SimulatedTrial,
    list_facts,
    simulate_trial,
    write_participants_csv,
)
from services.store import journal, participants
from services.vocabulary.fact import JournalEntry

STUDY = Path("studies/blina-hsct")
PARTICIPANTS, SEED = 12, 7

Members = tuple[str, ...]


def open_data(folder: Path) -> StudyContext:
    """Return the installation in *folder*, whatever the environment says; a new one if need be."""
    settings = read_store_settings(
        data=folder, database_url="", keys=None, study=STUDY, clock="message"
    )
    return open_in(settings)


def open_enrolled(folder: Path, people: bytes) -> Intake:
    """Return the intake of an installation in *folder* that knows *people* (CSV)."""
    intake = make_intake(open_data(folder))
    import_participants(intake, people, "benchmark")
    return intake


def journals_in(context: StudyContext) -> Iterator[tuple[Members, list[JournalEntry]]]:
    """Yield each family with its facts, in the order of its journals."""
    with context.db.read() as conn:
        linked_facts = [known.fact for known in journal.load_joining_facts(conn)]
        people = participants.load_participants(conn, context.study_id).keys() - {context.study_id}
        for group in link_participants(people, linked_facts):
            yield (
                group,
                [one for member in group for one in journal.load_facts_between(conn, member, 0)],
            )


class Material:
    """The same for every measure, made when it is first asked for."""

    def __init__(
        self, folder: Path, longest: int = 1_000_000, passing_facts: int = 500_000
    ) -> None:
        """Work in *folder*, on the disk that is to be measured.

        Args:
            folder: There already.
            longest: Facts in the longest history of one participant.
            passing_facts: Facts that pass through one rules worker.
        """
        self.folder, self.longest, self.passing_facts = folder, longest, passing_facts

    @cached_property
    def trial(self) -> SimulatedTrial:
        """A synthetic trial, each participant followed to transplant day 103."""
        return simulate_trial(PARTICIPANTS, SEED)

    @cached_property
    def people(self) -> bytes:
        """The registration of everybody in it."""
        return write_participants_csv(self.trial).encode()

    @cached_property
    def feed_installation(self) -> Path:
        """The data of an installation that has accepted the whole trial, nothing folded yet."""
        folder = self.folder / "heard"
        intake = open_enrolled(folder, self.people)
        lines = [Submission(message, "mllp") for message in self.trial.messages]
        lines += [
            Submission(json.dumps(fact).encode(), "file", actor="benchmark", form="facts")
            for fact in list_facts(self.trial)
        ]
        for start in range(0, len(lines), BATCH_SIZE):
            for outcome in intake.accept(lines[start : start + BATCH_SIZE]):
                if outcome.refusal is not None:
                    raise RuntimeError(str(outcome.refusal))
        return folder

    @cached_property
    def graded_installation(self) -> Path:
        """The data of another, in which the rules have folded and decided it all."""
        folder = self.folder / "graded"
        copytree(self.feed_installation, folder)
        context = open_data(folder)
        if not grade_entered_facts(context):
            raise RuntimeError("nobody graded the trial")
        context.db.close()
        return folder

    @cached_property
    def context(self) -> StudyContext:
        """That installation, open."""
        return open_data(self.feed_installation)

    @cached_property
    def journals(self) -> Mapping[Members, list[JournalEntry]]:
        """The facts of every family of linked participants in the trial."""
        return dict(journals_in(self.context))
