"""Draws the participants and their courses: the same seed, the same trial."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from services.simulator import courses
from services.simulator.chemistry import PLANS, Plan, value_of
from services.simulator.script import INFUSION_LASTS, Ends, LabEvent, Person, Site

FIRST_TRANSPLANT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
_ONE_EVERY = timedelta(days=4)
_FOLLOWED_TO = timedelta(days=103)
_ANY_GRADE = (0, 4)
_LONG, _SOMETIMES = 4, 0.5
_HOW_OFTEN = (50, 30, 12, 4)  # worst grades, from the mildest
_AFTER_INDUCERS = 66  # vital signs: seven days of infusion and 72 hours are over

SITES = (
    Site("north", "America/New_York", "EPIC", "NORTH", "NMRN", "conventional",
         {"10*3/uL": "K/uL", "mmol/L": "mEq/L", "[degF]": "degF"}),
    Site("west", "America/Los_Angeles", "CERNER", "WEST", "WMRN", "conventional",
         {"10*3/uL": "x10^3/uL", "U/L": "UNITS/L", "mg/dL": "mg%", "g/dL": "gm/dL"},
         local_codes=True),
    Site("rhein", "Europe/Berlin", "ORBIS", "RHEIN", "PATNR", "si",
         {"10*9/L": "G/L", "umol/L": "UMOLL", "Cel": "degC"}),
)  # fmt: skip

# Who has what, by the number of the participant: enough severe CRS, early, to meet its boundary.
_CRS = {3: 3, 5: 4, 7: 3, 10: 3, 1: 1, 6: 2, 11: 1, 15: 2, 19: 1, 26: 2, 31: 1, 37: 1}
_ICANS = {5: 3, 9: 1, 14: 2, 22: 4, 33: 1}
_INFECTED = frozenset(range(2, 10_000, 4))
_DIES, _RELAPSES, _REGISTERED_TWICE = 12, 16, 8
_QUIRKS = {
    1: "corrected", 2: "hemolyzed", 3: "late", 4: "deleted", 5: "preliminary", 6: "wrong-patient",
    7: "unknown-code", 9: "late", 11: "corrected", 13: "unknown-unit",
    18: "hemolyzed", 21: "wrong-patient", 24: "preliminary", 29: "corrected", 34: "deleted",
}  # fmt: skip


def cast(participants: int, seed: int, days: int | None = None) -> tuple[Person, ...]:
    """Return the scripts of all participants.

    Args:
        participants: How many take part.
        seed: Of everything that is drawn.
        days: How long each is followed after the first dose; None: to transplant day 103.
    """
    return tuple(_person(number, participants, seed, days) for number in range(1, participants + 1))


def _person(number: int, participants: int, seed: int, days: int | None) -> Person:
    rng = Random(f"{seed}-{number}")
    site = SITES[(number - 1) % len(SITES)]
    minutes = timedelta(minutes=rng.randrange(0, 240, 5))
    transplant_at = FIRST_TRANSPLANT + (number - 1) * _ONE_EVERY + minutes
    infusion_at = transplant_at + timedelta(days=rng.randint(60, 88), hours=rng.randint(-3, 3))
    last_at = transplant_at + _FOLLOWED_TO
    if days is not None:
        last_at = min(last_at, infusion_at + timedelta(days=days))
    twice = number == min(_REGISTERED_TWICE, participants)
    person = Person(
        name=f"P-{number:03d}",
        also=f"P-{participants + 1:03d}" if twice else "",
        site=site,
        mrn=f"{site.id[0].upper()}{rng.randint(100_000, 499_999)}",
        also_mrn=f"{site.id[0].upper()}{rng.randint(500_000, 899_999)}" if twice else "",
        sex=rng.choice(("female", "male")),
        birth_year=rng.randint(1955, 2004),
        weight_kg=f"{rng.uniform(48, 104):.1f}",
        donor=rng.choice(("haploidentical", "matched-related", "matched-unrelated")),
        transplant_at=transplant_at,
        infusion_at=infusion_at,
        last_at=last_at,
    )
    return _with_course(person, number, rng)


def _with_course(person: Person, number: int, rng: Random) -> Person:
    crs = courses.crs(_CRS[number], rng.randint(3, 18), rng) if number in _CRS else None
    icans = courses.icans(_ICANS[number], rng.randint(3, 9), rng) if number in _ICANS else None
    infection = None
    if number in _INFECTED or number == _DIES:
        first = _AFTER_INDUCERS + rng.randint(0, 4)
        if person.vitals_at(first + 8) < person.last_at:
            infection = courses.infection(first, rng)
    died_at = None
    if number == _DIES and infection is not None:
        died_at = person.vitals_at(infection.first + 7) + timedelta(hours=2)
        person = replace(person, last_at=died_at - timedelta(hours=1))
    relapsed_at = None
    if number == _RELAPSES:
        relapsed_at = min(person.infusion_at + timedelta(days=12), person.last_at)
    return replace(
        person,
        labs=_labs(person, rng, spoilt="lipase" if number in _QUIRKS else ""),
        crs=crs if crs and person.vitals_at(crs.over + 8) < person.last_at else None,
        icans=icans,
        infection=infection,
        died_at=died_at,
        relapsed_at=relapsed_at,
        quirks=frozenset({_QUIRKS[number]} if number in _QUIRKS else ()),
    )


def _labs(person: Person, rng: Random, spoilt: str) -> tuple[LabEvent, ...]:
    """Return adverse events of two to four measures, one each, none of the *spoilt* measure."""
    last = person.draws[-1]
    found: list[LabEvent] = []
    plans = rng.sample(PLANS, 6)
    for plan in plans:
        wanted = 2 + rng.randint(0, 2)
        taken = {spoilt, *(event.measure for event in found)}
        if plan.measure not in taken and len(found) < wanted:
            found += _event(plan, person.site.system, last, rng)
    return tuple(found)


def _event(plan: Plan, system: str, last: int, rng: Random) -> list[LabEvent]:
    if plan.slug == "anemia" and rng.random() < _SOMETIMES:
        return _from_before(plan, system, last, rng)
    levels = sorted(plan.conventional)
    worst = rng.choices(levels, _HOW_OFTEN[: len(levels)])[0]
    grades = _wave([grade for grade in levels if grade <= worst], rng)
    first = rng.randint(1, max(1, last - 3))
    grades = grades[: last - first + 1]
    goes_on = first + len(grades) > last
    unit_at, limits_at = None, frozenset[int]()
    if plan.measure == "neutrophils":
        unit_at, limits_at = _missing(grades, rng)
    spans = [plan.span(grade) for grade in grades]
    if unit_at is not None:
        spans[unit_at] = _ANY_GRADE
    return [
        LabEvent(
            plan.slug,
            plan.measure,
            first,
            tuple(value_of(plan, grade, system, rng) for grade in grades),
            tuple(spans),
            goes_on=goes_on,
            without_unit=unit_at,
            without_limits=limits_at,
        )
    ]


def _missing(grades: list[int], rng: Random) -> tuple[int | None, frozenset[int]]:
    """Leave out a unit inside a run (any grade may be), and limits where numbers alone decide."""
    inside = len(grades) // 2 if len(grades) >= _LONG and rng.random() < _SOMETIMES else None
    decided = [at for at, grade in enumerate(grades) if grade > 1]
    return inside, frozenset(at for at in decided if rng.random() < _SOMETIMES)


def _from_before(plan: Plan, system: str, last: int, rng: Random) -> list[LabEvent]:
    """Return an anemia that was there before the first dose, and what got worse after it."""
    before = (2, 2, 2)
    after = [2] * rng.randint(1, 3) + [3] * rng.randint(2, 4)
    after += [2] * max(0, last - len(after))
    after = after[:last]

    def event(first: int, grades: Sequence[int]) -> LabEvent:
        values = tuple(value_of(plan, grade, system, rng) for grade in grades)
        spans: tuple[Ends, ...] = tuple((grade, grade) for grade in grades)
        return LabEvent(plan.slug, plan.measure, first, values, spans)

    found = [replace(event(-2, before), before_exposure=True)]
    if after:
        found.append(replace(event(1, after), baseline_grade=2))
    return found


def _wave(levels: list[int], rng: Random) -> list[int]:
    """Return grades that rise through *levels* and fall again, some for several days."""
    up = [level for level in levels for _ in range(rng.randint(1, 2))]
    top = [levels[-1]] * rng.randint(1, 3)
    down = [level for level in reversed(levels[:-1]) for _ in range(rng.randint(1, 2))]
    return up + top + down


def infusion_ends(person: Person) -> datetime:
    """Return when the infusion of the course was stopped."""
    return min(person.infusion_at + INFUSION_LASTS, person.last_at)
