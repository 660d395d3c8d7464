"""From scripts to messages: who sends what when, and what goes wrong on the way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from services.simulator import messages
from services.simulator.casting import infusion_ends
from services.simulator.chemistry import CHEMISTRY, COUNTS, normal_value
from services.simulator.messages import Outgoing, Result
from services.simulator.script import NEURO_EVERY, Drug, Neuro, Person, Signs

_NORMAL_SIGNS = ("36.5", "36.7", "36.9", "37.2", "37.4")
_AWRY_DRAW = 2  # the draw at which a quirk happens: no adverse event is that early
_NO_DELAY = timedelta(0)

ORU, RAS = "ORU^R01^ORU_R01", "RAS^O17^RAS_O17"


def feed(people: tuple[Person, ...], seed: int) -> list[bytes]:
    """Return every message, in the order in which it is sent."""
    outgoing = [one for person in people for one in _of(person, seed)]
    outgoing.sort(key=lambda one: (one.sent_at, one.site.id, one.after, one.segments))
    rng = Random(f"{seed}-wire")
    counts: dict[str, int] = {}
    sent: list[bytes] = []
    for one in outgoing:
        number = counts[one.site.id] = counts.get(one.site.id, 0) + 1
        control_id = f"{one.site.id.upper()}{number:07d}"
        lines = (messages.header(one, control_id, number), *one.segments)
        sent.append("".join(f"{line}\r" for line in lines).encode())
        if rng.random() < 1 / 200:
            sent.append(rng.choice(sent[-20:]))  # a sender that saw no answer
    return sent


def _of(person: Person, seed: int) -> Iterator[Outgoing]:
    rng = Random(f"{seed}-{person.name}-feed")
    yield from _movements(person)
    yield from _study_drug(person)
    yield from _laboratory(person, rng)
    yield from _bedside(person, rng)
    yield from _treatment(person)


def _mrn(person: Person, at: datetime) -> str:
    """Return the identifier in use: the second registration was used for five days."""
    mistaken = person.also and 0 <= (at - person.infusion_at).days < 5  # noqa: PLR2004 - days
    return person.also_mrn if mistaken else person.mrn


def _movements(person: Person) -> Iterator[Outgoing]:
    site = person.site

    def adt(event: str, at: datetime, ward: str = "BMT", extra: str = "") -> Outgoing:
        segments = messages.movement(person, _mrn(person, at), event, at, ward=ward, extra=extra)
        return Outgoing(at + timedelta(minutes=5), site, f"ADT^{event}^ADT_{event}", segments)

    yield adt("A01", person.infusion_at - timedelta(days=2, hours=2))
    if person.crs is not None and person.crs.in_icu is not None:
        arrived, left = person.crs.in_icu
        yield adt("A02", person.vitals_at(arrived) + timedelta(minutes=40), "MICU")
        yield adt("A02", person.vitals_at(left) + timedelta(minutes=40), "BMT")
    if person.also:
        at = person.infusion_at + timedelta(days=6, hours=1)
        if at < person.last_at:
            yield Outgoing(at, site, "ADT^A40^ADT_A39", messages.merge(person, at))
    if person.died_at is not None:
        when = messages.local(person.died_at, site)
        died = "|" * 21 + f"|{when}|Y"
        yield adt("A08", person.died_at + timedelta(minutes=20), extra=died)


def _study_drug(person: Person) -> Iterator[Outgoing]:
    start, end = person.infusion_at, infusion_ends(person)
    steps = [
        (start - timedelta(hours=1), "dexamethasone", "20", "mg", "premedication"),
        (start, "blinatumomab", "8", "ug/d", "start"),
        (start + timedelta(days=2, hours=-1), "dexamethasone", "20", "mg", "premedication"),
        (start + timedelta(days=2), "blinatumomab", "16", "ug/d", "rate"),
        (end, "blinatumomab", "0", "ug/d", "stop"),
    ]
    for number, (at, name, amount, unit, word) in enumerate(steps):
        if at <= end:
            drug = Drug(0, _NO_DELAY, name, amount, unit, word)
            yield _given(person, at, drug, f"{person.name}-D{number}")


def _given(person: Person, at: datetime, drug: Drug, order: str) -> Outgoing:
    segments = messages.administration(person, _mrn(person, at), order, at, drug)
    return Outgoing(at + timedelta(minutes=3), person.site, RAS, segments)


def _treatment(person: Person) -> Iterator[Outgoing]:
    drugs = list(person.crs.drugs) if person.crs else []
    if person.infection is not None:
        first = person.infection.first
        drugs += [
            Drug(first + 1, timedelta(minutes=45), "piperacillin-tazobactam", "4.5", "g", "start"),
            Drug(first + 1, timedelta(minutes=20), "acetaminophen", "1000", "mg", route="PO"),
        ]
    for number, drug in enumerate(drugs):
        at = person.vitals_at(drug.vitals) + drug.after
        yield _given(person, at, drug, f"{person.name}-T{number}")


def _bedside(person: Person, rng: Random) -> Iterator[Outgoing]:
    shown = _signs(person)
    assessed = {}
    if person.icans is not None:
        assessed = dict(enumerate(person.icans.assessments, person.icans.first))
    for number in person.vitals:
        at = person.vitals_at(number)
        normal = Signs(rng.choice(_NORMAL_SIGNS), rng.randint(108, 132), rng.randint(95, 99))
        results = messages.vitals(shown.get(number, normal), person.site)
        order = f"{person.name}-V{number}"
        minutes = timedelta(minutes=rng.randint(4, 20))
        segments = messages.report(person, _mrn(person, at), order, at, results)
        yield Outgoing(at + minutes, person.site, ORU, segments)
        if number % NEURO_EVERY == 0:
            neuro = assessed.get(number // NEURO_EVERY, Neuro())
            segments = messages.report(
                person, _mrn(person, at), f"{person.name}-N{number}", at, messages.assessment(neuro)
            )
            yield Outgoing(at + minutes, person.site, ORU, segments, after=1)


def _signs(person: Person) -> dict[int, Signs]:
    shown: dict[int, Signs] = {}
    for course in (person.infection, person.crs):
        if course is not None:
            shown.update(enumerate(course.signs, course.first))
    return shown


def _laboratory(person: Person, rng: Random) -> Iterator[Outgoing]:
    planned = {
        (event.measure, event.first + place): (event, place)
        for event in person.labs
        for place in range(len(event.values))
    }
    for number in person.draws:
        for panel, measures in (("C", CHEMISTRY), ("B", COUNTS)):
            results = []
            for measure in measures:
                event, place = planned.get((measure, number), (None, 0))
                if event is None:
                    value = normal_value(measure, person.site.system, rng)
                    results.append(messages.laboratory(measure, value, person.site))
                else:
                    results.append(
                        messages.laboratory(
                            measure,
                            event.values[place],
                            person.site,
                            unit=event.without_unit != place,
                            limits=place not in event.without_limits,
                        )
                    )
            yield from _panel(person, number, panel, results, rng)


def _panel(
    person: Person, number: int, panel: str, results: list[Result], rng: Random
) -> Iterator[Outgoing]:
    """Send one panel; at one draw, what the participant's quirk makes of it."""
    at = person.draw_at(number)
    sent_at = at + timedelta(minutes=rng.randint(60, 170))
    order = f"{person.name}-{panel}{number}"

    def oru(results: list[Result], delay: timedelta = _NO_DELAY, after: int = 0) -> Outgoing:
        segments = messages.report(person, _mrn(person, at), order, at, results)
        return Outgoing(sent_at + delay, person.site, ORU, segments, after)

    quirks = person.quirks if number == _AWRY_DRAW else frozenset()
    if panel == "C":
        yield from _awry(quirks, results, oru)
    else:
        yield oru(results)


def _awry(
    quirks: frozenset[str], results: list[Result], oru: Callable[..., Outgoing]
) -> Iterator[Outgoing]:
    place = CHEMISTRY.index("lipase")
    lipase = results[place]
    others = results[:place]
    later = timedelta(hours=5)

    def with_lipase(**changes: str) -> list[Result]:
        return [*others, replace(lipase, **changes)]

    if "corrected" in quirks:
        yield oru(with_lipase(value="999"))
        yield oru([replace(lipase, status="C")], later)
    elif "deleted" in quirks:
        yield oru(with_lipase(value="777"))
        yield oru([replace(lipase, value="", unit="", status="D")], later)
    elif "wrong-patient" in quirks:
        yield oru(with_lipase(value="888"))
        yield oru([replace(lipase, value="888", status="W")], later)
    elif "preliminary" in quirks:
        yield oru([*others, replace(lipase, status="P")])
        yield oru([lipase], later)
    elif "late" in quirks:
        yield oru(results, timedelta(days=2, hours=3))
    elif "hemolyzed" in quirks:
        yield oru(with_lipase(kind="ST", value="HEMOLYZED"))
    elif "unknown-code" in quirks:
        yield oru([*results, replace(lipase, code="GALACTOMANNAN^Galactomannan^L")])
    elif "unknown-unit" in quirks:
        yield oru(with_lipase(unit="furlong"))
    else:
        yield oru(results)
