"""The answer key: the records that a trial must lead to, by the scripts of its participants."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.simulator.chemistry import GradeSpan
from services.simulator.script import LabEvent, Person, VitalSigns

_SEVERE = 3
_MINIMUM_DURATION = timedelta(hours=72)  # a laboratory grade 3 counts once it has lasted this long
_HEMATOLOGIC = frozenset({"neutrophil-count-decreased", "platelet-count-decreased", "anemia"})
_STEROID_RELATED = frozenset({"hyperglycemia"})
CRS, ICANS = "astct-2019.crs", "astct-2019.icans"


@dataclass(frozen=True, slots=True)
class ExpectedRecord:
    """One record: instants in UTC, *worst* as (at least, at most)."""

    participant: str
    criterion: str
    onset_at: datetime
    resolved_at: datetime | None
    worst: GradeSpan
    baseline_grade: int = 0
    before_exposure: bool = False
    possible: bool = False


def list_expected_records(person: Person, table: str) -> list[ExpectedRecord]:
    """Return the records of *person*; laboratory terms are those of *table* (``ctcae-5.0``)."""
    records = [
        *_laboratory_records(person, table),
        *_fever_records(person, table),
        *_syndrome_records(person),
    ]
    return sorted(records, key=lambda e: (e.criterion, e.onset_at))


def _laboratory_records(person: Person, table: str) -> Iterator[ExpectedRecord]:
    for event in person.labs:
        for first, end in _find_runs(event):
            spans = event.spans[first : end if end is not None else None]
            yield ExpectedRecord(
                person.name,
                f"{table}.{event.slug}",
                person.draw_at(event.first + first),
                _find_resolution(person, event, end),
                (max(low for low, _ in spans), max(high for _, high in spans)),
                event.baseline_grade,
                event.before_exposure,
            )


def _find_runs(event: LabEvent) -> Iterator[tuple[int, int | None]]:
    """Yield start and end of each run above the baseline grade (None: beyond the last value)."""
    start = None
    for place, (low, high) in enumerate(event.spans):
        if start is None and low > event.baseline_grade:
            start = place
        elif start is not None and high <= event.baseline_grade:
            yield start, place
            start = None
    if start is not None:
        yield start, None


def _find_resolution(person: Person, event: LabEvent, end: int | None) -> datetime | None:
    """Return the time of the first draw after the run; the first dose ends a run before it."""
    if event.before_exposure:
        return person.infusion_at
    draw_number = event.first + (len(event.values) if end is None else end)
    return person.draw_at(draw_number) if draw_number in person.draws else None


def _fever_records(person: Person, table: str) -> Iterator[ExpectedRecord]:
    for course in (person.crs, person.infection):
        if course is not None:
            grades = [signs.fever_grade for signs in course.signs]
            fever = _count_febrile_sets(course.signs)
            yield ExpectedRecord(
                person.name,
                f"{table}.fever",
                person.vitals_at(course.first),
                person.vitals_at(course.first + fever),
                (max(grades), max(grades)),
            )


def _count_febrile_sets(signs: Sequence[VitalSigns]) -> int:
    """Return the number of sets of vital signs with fever before the first without."""
    return next((at for at, one in enumerate(signs) if not one.fever_grade), len(signs))


def _syndrome_records(person: Person) -> Iterator[ExpectedRecord]:
    if person.crs is not None:
        course = person.crs
        yield ExpectedRecord(
            person.name,
            CRS,
            person.vitals_at(course.first),
            person.vitals_at(course.end),
            (course.grade, course.grade),
        )
    if person.icans is not None:
        first, end = person.icans.first, person.icans.first + len(person.icans.assessments)
        grade = person.icans.grade
        yield ExpectedRecord(
            person.name, ICANS, person.neuro_at(first), person.neuro_at(end), (grade, grade)
        )


def count_events(people: Sequence[Person], table: str) -> dict[str, list[str]]:
    """Return the participants with an event, by the event that the rules of the trial count."""
    severe_crs = [p.name for p in people if p.crs and p.crs.grade >= _SEVERE]
    severe_icans = [p.name for p in people if p.icans and p.icans.grade >= _SEVERE]
    other_events = [
        p.name
        for p in people
        if any(_is_counted(p, one, table) for one in list_expected_records(p, table))
    ]
    return {
        "crs": severe_crs,
        "neurotoxicity": severe_icans,
        "non-hematologic": sorted({*severe_crs, *severe_icans, *other_events}),
        "nrm": [p.name for p in people if p.died_at is not None and p.relapsed_at is None],
    }


def _is_counted(person: Person, record: ExpectedRecord, table: str) -> bool:
    """Return True when a record of a CTCAE term is a severe non-hematologic event."""
    slug = record.criterion.removeprefix(f"{table}.")
    if record.worst[0] < _SEVERE or slug in _HEMATOLOGIC | _STEROID_RELATED:
        return False
    if record.before_exposure or record.criterion in (CRS, ICANS):
        return False
    if slug == "fever" or record.worst[0] > _SEVERE:
        return True
    return _is_long_enough(person, slug)


def _is_long_enough(person: Person, slug: str) -> bool:
    """Return True when a laboratory grade 3 lasted for the minimum, as far as draws show."""
    for event in person.labs:
        if event.slug == slug:
            severe = [at for at, (low, _) in enumerate(event.spans) if low >= _SEVERE]
            first_severe, last_severe = event.first + severe[0], event.first + severe[-1]
            end_draw = last_severe + 1 if last_severe + 1 in person.draws else last_severe
            feed_end = (
                person.last_at if event.goes_on and severe[-1] == len(event.spans) - 1 else None
            )
            end_at = max(person.draw_at(end_draw), feed_end or person.draw_at(end_draw))
            return end_at - person.draw_at(first_severe) >= _MINIMUM_DURATION
    return False
