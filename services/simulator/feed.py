"""The feed: the messages of all scripts in the order of sending, with the errors of real feeds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from services.simulator import messages
from services.simulator.casting import find_infusion_end
from services.simulator.chemistry import CHEMISTRY, COUNTS, draw_normal_value
from services.simulator.messages import OutgoingMessage, Result
from services.simulator.script import (
    SETS_PER_ASSESSMENT,
    NeuroAssessment,
    Person,
    PlannedDrug,
    VitalSigns,
)

_NORMAL_SIGNS = ("36.5", "36.7", "36.9", "37.2", "37.4")
_QUIRK_DRAW = 2  # the draw at which a quirk happens: no adverse event is that early
_NO_DELAY = timedelta(0)

ORU, RAS = "ORU^R01^ORU_R01", "RAS^O17^RAS_O17"


def write_feed(people: tuple[Person, ...], seed: int) -> list[bytes]:
    """Return every message, in the order in which it is sent."""
    messages_to_send = [one for person in people for one in _person_messages(person, seed)]
    messages_to_send.sort(
        key=lambda message: (message.sent_at, message.site.id, message.rank, message.segments)
    )
    rng = Random(f"{seed}-wire")
    counts: dict[str, int] = {}
    feed_bytes: list[bytes] = []
    for message in messages_to_send:
        number = counts[message.site.id] = counts.get(message.site.id, 0) + 1
        control_id = f"{message.site.id.upper()}{number:07d}"
        lines = (messages.write_header(message, control_id, number), *message.segments)
        feed_bytes.append("".join(f"{line}\r" for line in lines).encode())
        if rng.random() < 1 / 200:
            feed_bytes.append(rng.choice(feed_bytes[-20:]))  # a sender that saw no answer
    return feed_bytes


def _person_messages(person: Person, seed: int) -> Iterator[OutgoingMessage]:
    rng = Random(f"{seed}-{person.name}-feed")
    yield from _movement_messages(person)
    yield from _study_drug_messages(person)
    yield from _laboratory_messages(person, rng)
    yield from _bedside_messages(person, rng)
    yield from _treatment_messages(person)


def _find_mrn(person: Person, instant: datetime) -> str:
    """Return the identifier in use: for five days that of the second registration."""
    is_mistaken = person.second_name and 0 <= (instant - person.infusion_at).days < 5  # noqa: PLR2004 - days
    return person.second_mrn if is_mistaken else person.mrn


def _movement_messages(person: Person) -> Iterator[OutgoingMessage]:
    site = person.site

    def build_adt(
        event: str, moved_at: datetime, ward: str = "BMT", extra: str = ""
    ) -> OutgoingMessage:
        segments = messages.write_movement(
            person, _find_mrn(person, moved_at), event, moved_at, ward=ward, extra=extra
        )
        return OutgoingMessage(
            moved_at + timedelta(minutes=5), site, f"ADT^{event}^ADT_{event}", segments
        )

    yield build_adt("A01", person.infusion_at - timedelta(days=2, hours=2))
    if person.crs is not None and person.crs.in_icu is not None:
        arrival, departure = person.crs.in_icu
        yield build_adt("A02", person.vitals_at(arrival) + timedelta(minutes=40), "MICU")
        yield build_adt("A02", person.vitals_at(departure) + timedelta(minutes=40), "BMT")
    if person.second_name:
        merged_at = person.infusion_at + timedelta(days=6, hours=1)
        if merged_at < person.last_at:
            yield OutgoingMessage(
                merged_at, site, "ADT^A40^ADT_A39", messages.write_merge(person, merged_at)
            )
    if person.died_at is not None:
        death_time = messages.format_local(person.died_at, site)
        death_fields = "|" * 21 + f"|{death_time}|Y"
        yield build_adt("A08", person.died_at + timedelta(minutes=20), extra=death_fields)


def _study_drug_messages(person: Person) -> Iterator[OutgoingMessage]:
    start, end = person.infusion_at, find_infusion_end(person)
    steps = [
        (start - timedelta(hours=1), "dexamethasone", "20", "mg", "premedication"),
        (start, "blinatumomab", "8", "ug/d", "start"),
        (start + timedelta(days=2, hours=-1), "dexamethasone", "20", "mg", "premedication"),
        (start + timedelta(days=2), "blinatumomab", "16", "ug/d", "rate"),
        (end, "blinatumomab", "0", "ug/d", "stop"),
    ]
    for number, (given_at, name, amount, unit, word) in enumerate(steps):
        if given_at <= end:
            drug = PlannedDrug(0, _NO_DELAY, name, amount, unit, word)
            yield _build_administration(person, given_at, drug, f"{person.name}-D{number}")


def _build_administration(
    person: Person, given_at: datetime, drug: PlannedDrug, order: str
) -> OutgoingMessage:
    segments = messages.write_administration(
        person, _find_mrn(person, given_at), order, given_at, drug
    )
    return OutgoingMessage(given_at + timedelta(minutes=3), person.site, RAS, segments)


def _treatment_messages(person: Person) -> Iterator[OutgoingMessage]:
    drugs = list(person.crs.drugs) if person.crs else []
    if person.infection is not None:
        first = person.infection.first
        drugs += [
            PlannedDrug(
                first + 1, timedelta(minutes=45), "piperacillin-tazobactam", "4.5", "g", "start"
            ),
            PlannedDrug(
                first + 1, timedelta(minutes=20), "acetaminophen", "1000", "mg", route="PO"
            ),
        ]
    for number, drug in enumerate(drugs):
        given_at = person.vitals_at(drug.vitals) + drug.delay
        yield _build_administration(person, given_at, drug, f"{person.name}-T{number}")


def _bedside_messages(person: Person, rng: Random) -> Iterator[OutgoingMessage]:
    abnormal_signs = _abnormal_signs(person)
    assessments = {}
    if person.icans is not None:
        assessments = dict(enumerate(person.icans.assessments, person.icans.first))
    for number in person.vitals:
        observed_at = person.vitals_at(number)
        normal = VitalSigns(rng.choice(_NORMAL_SIGNS), rng.randint(108, 132), rng.randint(95, 99))
        results = messages.build_vital_signs(abnormal_signs.get(number, normal), person.site)
        order = f"{person.name}-V{number}"
        minutes = timedelta(minutes=rng.randint(4, 20))
        segments = messages.write_report(
            person, _find_mrn(person, observed_at), order, observed_at, results
        )
        yield OutgoingMessage(observed_at + minutes, person.site, ORU, segments)
        if number % SETS_PER_ASSESSMENT == 0:
            neuro = assessments.get(number // SETS_PER_ASSESSMENT, NeuroAssessment())
            segments = messages.write_report(
                person,
                _find_mrn(person, observed_at),
                f"{person.name}-N{number}",
                observed_at,
                messages.build_assessment(neuro),
            )
            yield OutgoingMessage(observed_at + minutes, person.site, ORU, segments, rank=1)


def _abnormal_signs(person: Person) -> dict[int, VitalSigns]:
    abnormal_signs: dict[int, VitalSigns] = {}
    for course in (person.infection, person.crs):
        if course is not None:
            abnormal_signs.update(enumerate(course.signs, course.first))
    return abnormal_signs


def _laboratory_messages(person: Person, rng: Random) -> Iterator[OutgoingMessage]:
    planned_results = {
        (event.measure, event.first + place): (event, place)
        for event in person.labs
        for place in range(len(event.values))
    }
    for number in person.draws:
        for panel, measures in (("C", CHEMISTRY), ("B", COUNTS)):
            results = []
            for measure in measures:
                event, place = planned_results.get((measure, number), (None, 0))
                if event is None:
                    value = draw_normal_value(measure, person.site.system, rng)
                    results.append(messages.build_lab_result(measure, value, person.site))
                else:
                    results.append(
                        messages.build_lab_result(
                            measure,
                            event.values[place],
                            person.site,
                            unit=event.without_unit != place,
                            limits=place not in event.without_limits,
                        )
                    )
            yield from _panel_messages(person, number, panel, results, rng)


def _panel_messages(
    person: Person, number: int, panel: str, results: list[Result], rng: Random
) -> Iterator[OutgoingMessage]:
    """Yield the messages of one panel; at one draw, as the participant's quirk changes them."""
    drawn_at = person.draw_at(number)
    sent_at = drawn_at + timedelta(minutes=rng.randint(60, 170))
    order = f"{person.name}-{panel}{number}"

    def build_oru(
        results: list[Result], delay: timedelta = _NO_DELAY, rank: int = 0
    ) -> OutgoingMessage:
        segments = messages.write_report(
            person, _find_mrn(person, drawn_at), order, drawn_at, results
        )
        return OutgoingMessage(sent_at + delay, person.site, ORU, segments, rank)

    quirks = person.quirks if number == _QUIRK_DRAW else frozenset()
    if panel == "C":
        yield from _apply_quirks(quirks, results, build_oru)
    else:
        yield build_oru(results)


def _apply_quirks(
    quirks: frozenset[str], results: list[Result], build_oru: Callable[..., OutgoingMessage]
) -> Iterator[OutgoingMessage]:
    place = CHEMISTRY.index("lipase")
    lipase = results[place]
    other_results = results[:place]
    later = timedelta(hours=5)

    def with_lipase(**changes: str) -> list[Result]:
        return [*other_results, replace(lipase, **changes)]

    if "corrected" in quirks:
        yield build_oru(with_lipase(value="999"))
        yield build_oru([replace(lipase, status="C")], later)
    elif "deleted" in quirks:
        yield build_oru(with_lipase(value="777"))
        yield build_oru([replace(lipase, value="", unit="", status="D")], later)
    elif "wrong-patient" in quirks:
        yield build_oru(with_lipase(value="888"))
        yield build_oru([replace(lipase, value="888", status="W")], later)
    elif "preliminary" in quirks:
        yield build_oru([*other_results, replace(lipase, status="P")])
        yield build_oru([lipase], later)
    elif "late" in quirks:
        yield build_oru(results, timedelta(days=2, hours=3))
    elif "hemolyzed" in quirks:
        yield build_oru(with_lipase(kind="ST", value="HEMOLYZED"))
    elif "unknown-code" in quirks:
        yield build_oru([*results, replace(lipase, code="GALACTOMANNAN^Galactomannan^L")])
    elif "unknown-unit" in quirks:
        yield build_oru(with_lipase(unit="furlong"))
    else:
        yield build_oru(results)
