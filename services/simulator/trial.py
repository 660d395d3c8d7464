"""A synthetic trial: its feed, who takes part, and what must come of it."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from services.simulator.answer_key import Expected, counted, expected_records
from services.simulator.casting import cast
from services.simulator.feed import feed
from services.simulator.script import Person

TABLE = "ctcae-5.0"


@dataclass(frozen=True, slots=True)
class Trial:
    """Participants with their scripts, and the messages in the order in which they are sent."""

    people: tuple[Person, ...]
    messages: tuple[bytes, ...]

    @property
    def expected(self) -> list[Expected]:
        """Every record that must come of it."""
        return [record for person in self.people for record in expected_records(person, TABLE)]

    @property
    def parked(self) -> dict[str, int]:
        """How many items must wait, by reason."""
        reasons = {
            "hemolyzed": "unreadable-value",
            "unknown-code": "unknown-code",
            "unknown-unit": "unknown-unit",
        }
        awry = [quirk for person in self.people for quirk in person.quirks if quirk in reasons]
        return dict(sorted(Counter(reasons[quirk] for quirk in awry).items()))


def simulate(participants: int, seed: int, days: int | None = None) -> Trial:
    """Return a trial: the same arguments, the same bytes.

    Args:
        participants: How many take part, 1 or more.
        seed: Of everything that is drawn.
        days: How long each is followed after the first dose; None: to transplant day 103.

    Raises:
        ValueError: There are no participants, or no days.
    """
    if participants < 1 or (days is not None and days < 1):
        raise ValueError("a trial has one participant and one day at least")
    people = cast(participants, seed, days)
    return Trial(people, tuple(feed(people, seed)))


def write(trial: Trial, folder: Path) -> None:
    """Write ``feed.hl7``, ``participants.csv``, ``facts.ndjson`` and the answer key to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feed.hl7").write_bytes(b"".join(trial.messages))
    (folder / "participants.csv").write_text(participants_csv(trial))
    (folder / "facts.ndjson").write_text(_lines(facts(trial)))
    (folder / "answer_key.ndjson").write_text(_lines(map(as_json, trial.expected)))
    (folder / "expected_rules.json").write_text(_pretty(counted(trial.people, TABLE)))
    (folder / "expected_parked.json").write_text(_pretty(trial.parked))


def participants_csv(trial: Trial) -> str:
    """Return everybody's registration; who was registered twice stands in it twice."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(
        ("participant", "site", "authority", "identifier_type", "identifier", "transplant_at",
         "donor", "sex", "birth_year", "weight_kg", "enrolled_at")
    )  # fmt: skip
    for person in trial.people:
        zone = ZoneInfo(person.site.timezone)
        transplant_at = person.transplant_at.astimezone(zone)
        enrolled_at = transplant_at + timedelta(days=20)
        for name, mrn in ((person.name, person.mrn), (person.also, person.also_mrn)):
            if name:
                lines.writerow(
                    (name, person.site.id, person.site.authority, "MR", mrn,
                     transplant_at.isoformat(), person.donor, person.sex, person.birth_year,
                     person.weight_kg, enrolled_at.isoformat())
                )  # fmt: skip
    return written.getvalue()


def facts(trial: Trial) -> list[dict[str, object]]:
    """Return what no feed carries: cultures, relapses, causes of death."""
    found = []
    for person in trial.people:
        if person.infection is not None:
            at = person.vitals_at(person.infection.first) + timedelta(minutes=10)
            body = {"kind": "culture", "positive": True, "organism": person.infection.organism}
            found.append(_fact(person, at, body))
        if person.relapsed_at is not None:
            found.append(_fact(person, person.relapsed_at, {"kind": "relapse"}))
        if person.died_at is not None:
            at = person.died_at.replace(second=0, microsecond=0)
            found.append(_fact(person, at, {"kind": "death", "cause": "infection"}))
    return found


def as_json(record: Expected) -> dict[str, object]:
    """Return a line of the answer key."""
    return {
        "participant": record.participant,
        "criterion": record.criterion,
        "onset_at": _instant(record.onset_at),
        "resolved_at": _instant(record.resolved_at) if record.resolved_at else None,
        "worst": list(record.worst),
        "baseline_grade": record.baseline_grade,
        "before_exposure": record.before_exposure,
        "possible": record.possible,
    }


def _fact(person: Person, at: datetime, body: dict[str, object]) -> dict[str, object]:
    reported = at + timedelta(hours=1)
    return {
        "subject": person.name,
        "observed_at": _instant(at),
        "reported_at": _instant(reported),
        "body": body,
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _lines(rows: Iterable[Mapping[str, object]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _pretty(content: object) -> str:
    return json.dumps(content, indent=2) + "\n"
