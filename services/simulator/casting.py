"""Participants and their courses, drawn at random: the same seed gives the same trial."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from services.simulator import courses
from services.simulator.chemistry import PLANS, GradedValues, GradeSpan, draw_value
from services.simulator.script import INFUSION_DURATION, LabEvent, Person, SimulatedSite

FIRST_TRANSPLANT = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
_TRANSPLANT_INTERVAL = timedelta(days=4)
_FOLLOW_UP = timedelta(days=103)
_ANY_GRADE = (0, 4)
_LONG_RUN, _HALF_CHANCE = 4, 0.5
_WORST_GRADE_WEIGHTS = (50, 30, 12, 4)  # worst grades, from the mildest
_FIRST_SET_AFTER_INDUCERS = 66  # vital signs: seven days of infusion and 72 hours are over

SITES = (
    SimulatedSite("north", "America/New_York", "EPIC", "NORTH", "NMRN", "conventional",
         {"10*3/uL": "K/uL", "mmol/L": "mEq/L", "[degF]": "degF"}),
    SimulatedSite("west", "America/Los_Angeles", "CERNER", "WEST", "WMRN", "conventional",
         {"10*3/uL": "x10^3/uL", "U/L": "UNITS/L", "mg/dL": "mg%", "g/dL": "gm/dL"},
         local_codes=True),
    SimulatedSite("rhein", "Europe/Berlin", "ORBIS", "RHEIN", "PATNR", "si",
         {"10*9/L": "G/L", "umol/L": "UMOLL", "Cel": "degC"}),
)  # fmt: skip

# Who has what, by the number of the participant: enough severe CRS, early, to meet its boundary.
_CRS = {3: 3, 5: 4, 7: 3, 10: 3, 1: 1, 6: 2, 11: 1, 15: 2, 19: 1, 26: 2, 31: 1, 37: 1}
_ICANS = {5: 3, 9: 1, 14: 2, 22: 4, 33: 1}
_INFECTED_PARTICIPANTS = frozenset(range(2, 10_000, 4))
_DYING_PARTICIPANT, _RELAPSING_PARTICIPANT, _PARTICIPANT_REGISTERED_TWICE = 12, 16, 8
_QUIRKS = {
    1: "corrected", 2: "hemolyzed", 3: "late", 4: "deleted", 5: "preliminary", 6: "wrong-patient",
    7: "unknown-code", 9: "late", 11: "corrected", 13: "unknown-unit",
    18: "hemolyzed", 21: "wrong-patient", 24: "preliminary", 29: "corrected", 34: "deleted",
}  # fmt: skip


def draw_people(participants: int, seed: int, days: int | None = None) -> tuple[Person, ...]:
    """Return the scripts of all participants.

    Args:
        participants: Their number.
        seed: Of everything that is drawn.
        days: Follow-up of each after the first dose; None: to transplant day 103.
    """
    return tuple(
        _draw_person(number, participants, seed, days) for number in range(1, participants + 1)
    )


def _draw_person(number: int, participants: int, seed: int, days: int | None) -> Person:
    rng = Random(f"{seed}-{number}")
    site = SITES[(number - 1) % len(SITES)]
    minutes = timedelta(minutes=rng.randrange(0, 240, 5))
    transplant_at = FIRST_TRANSPLANT + (number - 1) * _TRANSPLANT_INTERVAL + minutes
    infusion_at = transplant_at + timedelta(days=rng.randint(60, 88), hours=rng.randint(-3, 3))
    last_at = transplant_at + _FOLLOW_UP
    if days is not None:
        last_at = min(last_at, infusion_at + timedelta(days=days))
    is_registered_twice = number == min(_PARTICIPANT_REGISTERED_TWICE, participants)
    person = Person(
        name=f"P-{number:03d}",
        second_name=f"P-{participants + 1:03d}" if is_registered_twice else "",
        site=site,
        mrn=f"{site.id[0].upper()}{rng.randint(100_000, 499_999)}",
        second_mrn=f"{site.id[0].upper()}{rng.randint(500_000, 899_999)}"
        if is_registered_twice
        else "",
        sex=rng.choice(("female", "male")),
        birth_year=rng.randint(1955, 2004),
        weight_kg=f"{rng.uniform(48, 104):.1f}",
        donor=rng.choice(("haploidentical", "matched-related", "matched-unrelated")),
        transplant_at=transplant_at,
        infusion_at=infusion_at,
        last_at=last_at,
    )
    return _draw_course(person, number, rng)


def _draw_course(person: Person, number: int, rng: Random) -> Person:
    crs = courses.draw_crs(_CRS[number], rng.randint(3, 18), rng) if number in _CRS else None
    icans = courses.draw_icans(_ICANS[number], rng.randint(3, 9), rng) if number in _ICANS else None
    infection = None
    if number in _INFECTED_PARTICIPANTS or number == _DYING_PARTICIPANT:
        first = _FIRST_SET_AFTER_INDUCERS + rng.randint(0, 4)
        if person.vitals_at(first + 8) < person.last_at:
            infection = courses.draw_infection(first, rng)
    died_at = None
    if number == _DYING_PARTICIPANT and infection is not None:
        died_at = person.vitals_at(infection.first + 7) + timedelta(hours=2)
        person = replace(person, last_at=died_at - timedelta(hours=1))
    relapsed_at = None
    if number == _RELAPSING_PARTICIPANT:
        relapsed_at = min(person.infusion_at + timedelta(days=12), person.last_at)
    return replace(
        person,
        labs=_draw_lab_events(person, rng, excluded_measure="lipase" if number in _QUIRKS else ""),
        crs=crs if crs and person.vitals_at(crs.end + 8) < person.last_at else None,
        icans=icans,
        infection=infection,
        died_at=died_at,
        relapsed_at=relapsed_at,
        quirks=frozenset({_QUIRKS[number]} if number in _QUIRKS else ()),
    )


def _draw_lab_events(person: Person, rng: Random, excluded_measure: str) -> tuple[LabEvent, ...]:
    """Return adverse events of two to four measures, one each, without *excluded_measure*."""
    last = person.draws[-1]
    events: list[LabEvent] = []
    plans = rng.sample(PLANS, 6)
    for plan in plans:
        target_count = 2 + rng.randint(0, 2)
        used_measures = {excluded_measure, *(event.measure for event in events)}
        if plan.measure not in used_measures and len(events) < target_count:
            events += _draw_event(plan, person.site.system, last, rng)
    return tuple(events)


def _draw_event(plan: GradedValues, system: str, last: int, rng: Random) -> list[LabEvent]:
    if plan.slug == "anemia" and rng.random() < _HALF_CHANCE:
        return _draw_earlier_anemia(plan, system, last, rng)
    levels = sorted(plan.conventional)
    worst = rng.choices(levels, _WORST_GRADE_WEIGHTS[: len(levels)])[0]
    grades = _draw_wave([grade for grade in levels if grade <= worst], rng)
    first = rng.randint(1, max(1, last - 3))
    grades = grades[: last - first + 1]
    goes_on = first + len(grades) > last
    unit_position, limit_positions = None, frozenset[int]()
    if plan.measure == "neutrophils":
        unit_position, limit_positions = _draw_missing_parts(grades, rng)
    spans = [plan.span(grade) for grade in grades]
    if unit_position is not None:
        spans[unit_position] = _ANY_GRADE
    return [
        LabEvent(
            plan.slug,
            plan.measure,
            first,
            tuple(draw_value(plan, grade, system, rng) for grade in grades),
            tuple(spans),
            goes_on=goes_on,
            without_unit=unit_position,
            without_limits=limit_positions,
        )
    ]


def _draw_missing_parts(grades: list[int], rng: Random) -> tuple[int | None, frozenset[int]]:
    """Return the positions to send without unit (any grade is possible) and without limits."""
    unit_position = (
        len(grades) // 2 if len(grades) >= _LONG_RUN and rng.random() < _HALF_CHANCE else None
    )
    numeric_positions = [at for at, grade in enumerate(grades) if grade > 1]
    return unit_position, frozenset(at for at in numeric_positions if rng.random() < _HALF_CHANCE)


def _draw_earlier_anemia(plan: GradedValues, system: str, last: int, rng: Random) -> list[LabEvent]:
    """Return an anemia from before the first dose, and its worsening after it."""
    grades_before = (2, 2, 2)
    grades_after = [2] * rng.randint(1, 3) + [3] * rng.randint(2, 4)
    grades_after += [2] * max(0, last - len(grades_after))
    grades_after = grades_after[:last]

    def build_event(first: int, grades: Sequence[int]) -> LabEvent:
        values = tuple(draw_value(plan, grade, system, rng) for grade in grades)
        spans: tuple[GradeSpan, ...] = tuple((grade, grade) for grade in grades)
        return LabEvent(plan.slug, plan.measure, first, values, spans)

    events = [replace(build_event(-2, grades_before), before_exposure=True)]
    if grades_after:
        events.append(replace(build_event(1, grades_after), baseline_grade=2))
    return events


def _draw_wave(levels: list[int], rng: Random) -> list[int]:
    """Return grades that rise through *levels* and fall again, some for several days."""
    ascent = [level for level in levels for _ in range(rng.randint(1, 2))]
    peak = [levels[-1]] * rng.randint(1, 3)
    descent = [level for level in reversed(levels[:-1]) for _ in range(rng.randint(1, 2))]
    return ascent + peak + descent


def find_infusion_end(person: Person) -> datetime:
    """Return the end of the infusion of the course."""
    return min(person.infusion_at + INFUSION_DURATION, person.last_at)
