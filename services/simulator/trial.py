"""A synthetic trial: its participants, its feed and its answer key."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from services.simulator.answer_key import ExpectedRecord, count_events, list_expected_records
from services.simulator.casting import draw_people
from services.simulator.feed import write_feed
from services.simulator.script import Person

TABLE = "ctcae-5.0"


@dataclass(frozen=True, slots=True)
class SimulatedTrial:
    """Participants with their scripts, and the messages in the order in which they are sent."""

    people: tuple[Person, ...]
    messages: tuple[bytes, ...]

    @property
    def expected_records(self) -> list[ExpectedRecord]:
        """The records that the trial must lead to."""
        return [record for person in self.people for record in list_expected_records(person, TABLE)]

    @property
    def parked(self) -> dict[str, int]:
        """The number of items that must be parked, by reason."""
        reasons = {
            "hemolyzed": "unreadable-value",
            "unknown-code": "unknown-code",
            "unknown-unit": "unknown-unit",
        }
        awry = [quirk for person in self.people for quirk in person.quirks if quirk in reasons]
        return dict(sorted(Counter(reasons[quirk] for quirk in awry).items()))


def simulate_trial(participants: int, seed: int, days: int | None = None) -> SimulatedTrial:
    """Return a trial; the same arguments give the same bytes.

    Args:
        participants: Their number, 1 or more.
        seed: Of everything that is drawn.
        days: Follow-up of each after the first dose; None: to transplant day 103.

    Raises:
        ValueError: There are no participants, or no days.
    """
    if participants < 1 or (days is not None and days < 1):
        raise ValueError("a trial has one participant and one day at least")
    people = draw_people(participants, seed, days)
    return SimulatedTrial(people, tuple(write_feed(people, seed)))


def write_trial(trial: SimulatedTrial, folder: Path) -> None:
    """Write ``feed.hl7``, ``participants.csv``, ``facts.ndjson`` and the answer key to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feed.hl7").write_bytes(b"".join(trial.messages))
    (folder / "participants.csv").write_text(write_participants_csv(trial))
    (folder / "facts.ndjson").write_text(_write_lines(list_facts(trial)))
    (folder / "answer_key.ndjson").write_text(_write_lines(map(to_json, trial.expected_records)))
    (folder / "expected_rules.json").write_text(_write_json(count_events(trial.people, TABLE)))
    (folder / "expected_parked.json").write_text(_write_json(trial.parked))


def write_participants_csv(trial: SimulatedTrial) -> str:
    """Return all registrations as CSV; a participant who is registered twice has two lines."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("participant", "site", "authority", "identifier_type", "identifier", "transplant_at",
         "donor", "sex", "birth_year", "weight_kg", "enrolled_at")
    )  # fmt: skip
    for person in trial.people:
        zone = ZoneInfo(person.site.timezone)
        transplant_at = person.transplant_at.astimezone(zone)
        enrolled_at = transplant_at + timedelta(days=20)
        for name, mrn in ((person.name, person.mrn), (person.second_name, person.second_mrn)):
            if name:
                writer.writerow(
                    (name, person.site.id, person.site.authority, "MR", mrn,
                     transplant_at.isoformat(), person.donor, person.sex, person.birth_year,
                     person.weight_kg, enrolled_at.isoformat())
                )  # fmt: skip
    return text.getvalue()


def list_facts(trial: SimulatedTrial) -> list[dict[str, object]]:
    """Return the facts that no feed carries: cultures, relapses, causes of death."""
    rows = []
    for person in trial.people:
        if person.infection is not None:
            observed_at = person.vitals_at(person.infection.first) + timedelta(minutes=10)
            body = {"kind": "culture", "positive": True, "organism": person.infection.organism}
            rows.append(_build_fact(person, observed_at, body))
        if person.relapsed_at is not None:
            rows.append(_build_fact(person, person.relapsed_at, {"kind": "relapse"}))
        if person.died_at is not None:
            observed_at = person.died_at.replace(second=0, microsecond=0)
            rows.append(_build_fact(person, observed_at, {"kind": "death", "cause": "infection"}))
    return rows


def to_json(record: ExpectedRecord) -> dict[str, object]:
    """Return a line of the answer key."""
    return {
        "participant": record.participant,
        "criterion": record.criterion,
        "onset_at": _format_instant(record.onset_at),
        "resolved_at": _format_instant(record.resolved_at) if record.resolved_at else None,
        "worst": list(record.worst),
        "baseline_grade": record.baseline_grade,
        "before_exposure": record.before_exposure,
        "possible": record.possible,
    }


def _build_fact(
    person: Person, observed_at: datetime, body: dict[str, object]
) -> dict[str, object]:
    reported_at = observed_at + timedelta(hours=1)
    return {
        "subject": person.name,
        "observed_at": _format_instant(observed_at),
        "reported_at": _format_instant(reported_at),
        "body": body,
    }


def _format_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _write_lines(rows: Iterable[Mapping[str, object]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _write_json(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"
