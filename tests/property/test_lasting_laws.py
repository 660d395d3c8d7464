"""A term whose definition needs time, beside an enumeration of every stretch of its readings."""

from random import Random

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.grade import Grade
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab
from tests.helpers.random_trials import RULES

KIDNEY = "ctcae-5.0.chronic-kidney-disease"
VALUES = ("95", "75", "45", "20", "10")  # by grade, with an LLN of 90
NEEDED_DAYS = 90


def draw_readings(chance):
    """Return days with the grade of each: a walk with long and short pauses."""
    day, grade, readings = 0, 0, []
    for _ in range(chance.randint(1, 10)):
        day += chance.choice((1, 10, 30, 45, 90, 91))
        grade = max(0, min(4, grade + chance.choice((-4, -1, 0, 0, 1, 1, 2))))
        readings.append((day, grade))
    return readings


def find_stretch(readings, position, grade):
    """Return the first and the last position of the stretch at *grade* around *position*."""
    first = last = position
    while first > 0 and readings[first - 1][1] >= grade:
        first -= 1
    while last + 1 < len(readings) and readings[last + 1][1] >= grade:
        last += 1
    return first, last


def grade_reading(readings, position):
    """Return the grade that has lasted around *position*, and the worst that still may."""
    at_least = at_most = 0
    for grade in range(1, readings[position][1] + 1):
        first, last = find_stretch(readings, position, grade)
        has_lasted = readings[last][0] - readings[first][0] > NEEDED_DAYS
        at_least = grade if has_lasted else at_least
        at_most = grade if has_lasted or last == len(readings) - 1 else at_most
    return at_least, at_most


def list_expected(readings):
    """Return onset day, worst grades and possibility of each record."""
    records, position = [], 0
    while position < len(readings):
        _, last = find_stretch(readings, position, 1)
        if readings[position][1]:
            days = [day for day, _ in readings[position : last + 1]]
            grades = [grade_reading(readings, one) for one in range(position, last + 1)]
            at_least, at_most = (max(ends) for ends in zip(*grades, strict=True))
            if at_most:
                first = next(n for n, ends in enumerate(grades) if ends[0 if at_least else 1])
                records.append((days[first], at_least, at_most, not at_least))
            position = last
        position += 1
    return records


@pytest.mark.parametrize("seed", range(150))
def test_the_records_are_those_of_the_stretches(seed):
    chance = Random(seed)
    readings = draw_readings(chance)
    facts = [fact(Administration("blinatumomab", Action.START), 0), read(-1, Grade.NONE)]
    facts += [read(day, grade) for day, grade in readings]
    chance.shuffle(facts)
    fold = Fold("P-001", RULES)
    for next_fact in facts:
        fold.apply([next_fact])
    assert [
        ((one.onset_at - HOUR_ZERO).days, one.worst.at_least, one.worst.at_most, one.possible)
        for one in fold.list_records()
        if one.criterion == KIDNEY
    ] == list_expected(readings)


def read(day, grade):
    return lab("egfr", VALUES[grade], day * 24, "mL/min/{1.73_m2}", lln="90")
