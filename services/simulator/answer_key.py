"""The records that a trial must lead to, read from the scripts of its participants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.simulator.script import Ends, LabEvent, Person, Signs

_SEVERE = 3
_LASTS = timedelta(hours=72)  # a laboratory grade 3 counts once it has lasted this long
_HEMATOLOGIC = frozenset({"neutrophil-count-decreased", "platelet-count-decreased", "anemia"})
_STEROID_RELATED = frozenset({"hyperglycemia"})
CRS, ICANS = "astct-2019.crs", "astct-2019.icans"


@dataclass(frozen=True, slots=True)
class Expected:
    """One record: instants in UTC, *worst* as (at least, at most)."""

    participant: str
    criterion: str
    onset_at: datetime
    resolved_at: datetime | None
    worst: Ends
    baseline_grade: int = 0
    before_exposure: bool = False
    possible: bool = False


def expected_records(person: Person, table: str) -> list[Expected]:
    """Return the records of *person*; laboratory terms are those of *table* (``ctcae-5.0``)."""
    found = [*_laboratory(person, table), *_fevers(person, table), *_syndromes(person)]
    return sorted(found, key=lambda e: (e.criterion, e.onset_at))


def _laboratory(person: Person, table: str) -> Iterator[Expected]:
    for event in person.labs:
        for first, end in _runs(event):
            spans = event.spans[first : end if end is not None else None]
            yield Expected(
                person.name,
                f"{table}.{event.slug}",
                person.draw_at(event.first + first),
                _resolved(person, event, end),
                (max(low for low, _ in spans), max(high for _, high in spans)),
                event.baseline_grade,
                event.before_exposure,
            )


def _runs(event: LabEvent) -> Iterator[tuple[int, int | None]]:
    """Yield where the grade is above the baseline's: from, and to (None: beyond the values)."""
    begun = None
    for place, (low, high) in enumerate(event.spans):
        if begun is None and low > event.baseline_grade:
            begun = place
        elif begun is not None and high <= event.baseline_grade:
            yield begun, place
            begun = None
    if begun is not None:
        yield begun, None


def _resolved(person: Person, event: LabEvent, end: int | None) -> datetime | None:
    """Return the first draw after the run; a run from before is cut by the first dose."""
    if event.before_exposure:
        return person.infusion_at
    after = event.first + (len(event.values) if end is None else end)
    return person.draw_at(after) if after in person.draws else None


def _fevers(person: Person, table: str) -> Iterator[Expected]:
    for course in (person.crs, person.infection):
        if course is not None:
            grades = [signs.fever_grade for signs in course.signs]
            fever = _until_it_falls(course.signs)
            yield Expected(
                person.name,
                f"{table}.fever",
                person.vitals_at(course.first),
                person.vitals_at(course.first + fever),
                (max(grades), max(grades)),
            )


def _until_it_falls(signs: Sequence[Signs]) -> int:
    """Return how many sets of vital signs have a fever before the first that has none."""
    return next((at for at, one in enumerate(signs) if not one.fever_grade), len(signs))


def _syndromes(person: Person) -> Iterator[Expected]:
    if person.crs is not None:
        course = person.crs
        yield Expected(
            person.name,
            CRS,
            person.vitals_at(course.first),
            person.vitals_at(course.over),
            (course.grade, course.grade),
        )
    if person.icans is not None:
        first, over = person.icans.first, person.icans.first + len(person.icans.assessments)
        grade = person.icans.grade
        yield Expected(
            person.name, ICANS, person.neuro_at(first), person.neuro_at(over), (grade, grade)
        )


def counted(people: Sequence[Person], table: str) -> dict[str, list[str]]:
    """Return who counts as an event, by what the rules of the trial count."""
    severe_crs = [p.name for p in people if p.crs and p.crs.grade >= _SEVERE]
    severe_icans = [p.name for p in people if p.icans and p.icans.grade >= _SEVERE]
    other = [
        p.name for p in people if any(_counts(p, one, table) for one in expected_records(p, table))
    ]
    return {
        "crs": severe_crs,
        "neurotoxicity": severe_icans,
        "non-hematologic": sorted({*severe_crs, *severe_icans, *other}),
        "nrm": [p.name for p in people if p.died_at is not None and p.relapsed_at is None],
    }


def _counts(person: Person, record: Expected, table: str) -> bool:
    """Say whether a record of a CTCAE term is a severe non-hematologic event."""
    slug = record.criterion.removeprefix(f"{table}.")
    if record.worst[0] < _SEVERE or slug in _HEMATOLOGIC | _STEROID_RELATED:
        return False
    if record.before_exposure or record.criterion in (CRS, ICANS):
        return False
    if slug == "fever" or record.worst[0] > _SEVERE:
        return True
    return _lasted(person, slug)


def _lasted(person: Person, slug: str) -> bool:
    """Say whether a laboratory grade 3 went on for long enough, as far as draws show."""
    for event in person.labs:
        if event.slug == slug:
            severe = [at for at, (low, _) in enumerate(event.spans) if low >= _SEVERE]
            begun, last = event.first + severe[0], event.first + severe[-1]
            ends = last + 1 if last + 1 in person.draws else last
            known = person.last_at if event.goes_on and severe[-1] == len(event.spans) - 1 else None
            until = max(person.draw_at(ends), known or person.draw_at(ends))
            return until - person.draw_at(begun) >= _LASTS
    return False
