"""Immune effector cell-associated neurotoxicity syndrome, ASTCT 2019: the worst of its domains.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, tables 4 to 6; where it is
silent: docs/decisions/bedside.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from services.safety_rules.domain.facts.drugs import Drugs
from services.safety_rules.domain.runs.run import Run
from services.safety_rules.domain.runs.segments import Graded, Segments, extended
from services.safety_rules.domain.syndromes.bedside import (
    BedsideContext,
    Charted,
    Level,
    charted,
    induced,
    induces,
    still_true,
    worst,
)
from services.vocabulary.episode import Span
from services.vocabulary.fact import Administration, Fact, Observation
from services.vocabulary.grade import Grade, Input
from services.vocabulary.protocol import Protocol

_NONE, _MILD, _MODERATE, _SEVERE, _LIFE = list(Grade)[:5]

# Each word that a domain may be charted with, and its grade.
_WORDS: Mapping[str, Mapping[str, tuple[Grade, str]]] = {
    "arousal": {
        "spontaneous": (_NONE, "awakens spontaneously"),
        "voice": (_MODERATE, "awakens to voice"),
        "tactile": (_SEVERE, "awakens only to tactile stimulus"),
        "unarousable": (_LIFE, "unarousable"),
    },
    "seizure": {
        "none": (_NONE, "no seizure"),
        "brief": (_SEVERE, "seizure that resolved rapidly"),
        "prolonged": (_LIFE, "prolonged or repetitive seizure"),
    },
    "motor": {
        "none": (_NONE, "no motor weakness"),
        "deep-focal": (_LIFE, "deep focal motor weakness"),
    },
    "edema": {
        "none": (_NONE, "no edema"),
        "focal": (_SEVERE, "focal cerebral edema"),
        "diffuse": (_LIFE, "diffuse cerebral edema or raised intracranial pressure"),
    },
}
_SCORES = frozenset({"ice", "capd"})
_OTHERS = frozenset({"sedation", "intracranial-hemorrhage"})
_OF_V6 = _SCORES | {"arousal", "sedation"}
MEASURES = frozenset(_WORDS) | _SCORES | _OTHERS

# ICE score: at or above which number which grade. Zero depends on arousal.
_ICE = ((Decimal(10), _NONE), (Decimal(7), _MILD), (Decimal(3), _MODERATE), (Decimal(1), _SEVERE))
_CAPD_SEVERE = Decimal(9)
HIGHEST = {"ice": Decimal(10), "capd": Decimal(32)}

V6 = "ctcae-6.0.immune-effector-cell-associated-neurotoxicity-syndrome"


@dataclass(frozen=True, slots=True)
class IcansState:
    """All that the next instant needs."""

    protocol: Protocol
    context: BedsideContext
    readings: Charted = field(default_factory=dict)
    drugs: Drugs = field(default_factory=Drugs)
    segments: Segments = field(default_factory=lambda: Segments(before_exposure=False))


def reads(fact: Fact, protocol: Protocol) -> bool:
    """Say whether *fact* may change the syndrome."""
    body = fact.body
    if isinstance(body, Observation):
        return body.measure in MEASURES
    return isinstance(body, Administration) and induces(body.drug, protocol)


def initial(protocol: Protocol, context: BedsideContext) -> IcansState:
    """Return the state before any fact."""
    return IcansState(protocol, context)


def step(state: IcansState, at: datetime, facts: Sequence[Fact]) -> tuple[IcansState, Run | None]:
    """Return the state after all *facts* of the instant *at*, and the episode that they end."""
    drugs = state.drugs.after_all(facts)
    readings = charted(state.readings, facts, MEASURES, _severity)
    after = replace(state, readings=readings, drugs=drugs)
    assessed = any(isinstance(fact.body, Observation) for fact in facts)
    is_open = state.segments.open is not None
    if not assessed or not (is_open or _may_begin(state, drugs, at)):
        return after, None
    level = graded(readings, at, state.protocol.bedside.ice_stays)
    reading = Graded(
        at,
        Span(level.at_least, level.at_most),
        level.because or "no domain affected",
        tuple(level.missing),
        tuple(sorted(fact.id for fact in level.facts)),
        provisional=any(not fact.status.is_final for fact in level.facts),
    )
    segments, over = extended(state.segments, reading, state.protocol.merge_gap)
    if segments.open is not None:
        by_v6 = worst(list(_levels_of_v6(readings, at, state.protocol.bedside.ice_stays)))
        segments = replace(segments, open=_scaled(segments.open, by_v6))
    return replace(after, segments=segments), over


def unended(state: IcansState) -> Run | None:
    """Return the episode that goes on, if there is one."""
    return state.segments.open


def last_seen(state: IcansState) -> datetime | None:
    """Return when the episode that goes on was last looked at."""
    return state.segments.last_at


def _scaled(run: Run, by_v6: Level) -> Run:
    """Return *run* with its worst grade on the scale of CTCAE v6.0 so far."""
    so_far = run.other_scales.get(V6, Span(_NONE, _NONE))
    at_least = max(so_far.at_least, by_v6.at_least)
    reached = Span(at_least, max(so_far.at_most, by_v6.at_most))
    is_known = V6 in run.other_scales and reached == so_far
    return run if is_known else replace(run, other_scales={V6: reached})


def _may_begin(state: IcansState, drugs: Drugs, at: datetime) -> bool:
    return induced(state.protocol.inducers, drugs, state.context, at)


def graded(readings: Charted, at: datetime, stays: timedelta) -> Level:
    """Return the grade at *at*: the worst of the domains, as far as each is known.

    Args:
        readings: Last of each measure.
        at: The instant.
        stays: How long a reading stays true.
    """
    levels = list(_levels(readings, at, stays))
    return worst(levels)


def _levels(readings: Charted, at: datetime, stays: timedelta) -> Iterator[Level]:
    now = _now(readings, at, stays)
    sedated = _word(now.get("sedation")) == "yes"
    bleeds = _word(now.get("intracranial-hemorrhage")) == "yes"
    for name, words in _WORDS.items():
        fact = now.get(name)
        excluded = (bleeds and name in ("edema", "motor")) or (sedated and name == "arousal")
        if fact is not None and not excluded:
            yield _by_word(fact, words)
    if sedated:
        yield Level(_NONE, _LIFE, missing=(Input.AROUSAL, Input.ICE))
    else:
        yield _cognition(now)


def _levels_of_v6(readings: Charted, at: datetime, stays: timedelta) -> Iterator[Level]:
    """CTCAE v6.0 reads the score and the arousal alone.

    Source: CTCAE v6.0, Nervous system disorders, "Immune effector cell-associated neurotoxicity
    syndrome"
    """
    read = {name: fact for name, fact in readings.items() if name in _OF_V6}
    return _levels(read, at, stays)


def _now(readings: Charted, at: datetime, stays: timedelta) -> Mapping[str, Fact]:
    return {name: found for name in MEASURES if (found := still_true(readings, name, at, stays))}


def _by_word(fact: Fact, words: Mapping[str, tuple[Grade, str]]) -> Level:
    grade, because = words.get(_word(fact), (_NONE, ""))
    if not because:
        return Level(_NONE, _LIFE, missing=(Input.TEXT,))
    return Level(grade, grade, because, facts=(fact,) if grade else ())


def _cognition(now: Mapping[str, Fact]) -> Level:
    """Return what ICE says, or CAPD in children who cannot be scored by ICE."""
    arousal = _word(now.get("arousal"))
    worst_left = _SEVERE if arousal and arousal != "unarousable" else _LIFE
    ice, capd = now.get("ice"), now.get("capd")
    if ice is None and capd is not None:
        return _capd(capd)
    score = _score(ice)
    if ice is None or score is None:
        missing = (Input.ICE,) if arousal else (Input.ICE, Input.AROUSAL)
        return Level(_NONE, worst_left, missing=missing)
    if score == 0:
        unknown = () if arousal else (Input.AROUSAL,)
        return Level(_SEVERE, worst_left, "ICE 0", unknown, (ice,))
    grade = next(grade for least, grade in _ICE if score >= least)
    return Level(grade, grade, f"ICE {score}", facts=(ice,) if grade else ())


def _capd(fact: Fact) -> Level:
    """Below 9 it is 1 (0: nothing noticed); arousal, a domain of its own, makes it worse."""
    score = _score(fact)
    if score is None:
        return Level(_NONE, _LIFE, missing=(Input.ICE,))
    if score >= _CAPD_SEVERE:
        return Level(_SEVERE, _SEVERE, f"CAPD {score}", facts=(fact,))
    grade = _MILD if score > 0 else _NONE
    return Level(grade, grade, f"CAPD {score}", facts=(fact,) if grade else ())


def _score(fact: Fact | None) -> Decimal | None:
    return _points(fact.body) if fact and isinstance(fact.body, Observation) else None


def _points(body: Observation) -> Decimal | None:
    """Return a score; None when it is no whole number that the score can have."""
    value = body.value
    if value is None or value.censoring is not None:
        return None
    whole = value.value == value.value.to_integral_value()
    return value.value if whole and 0 <= value.value <= HIGHEST[body.measure] else None


def _severity(body: Observation) -> Decimal | int | None:
    """Return how bad a reading is beside others of its measure; None: it cannot be read."""
    if body.measure in _SCORES:
        points = _points(body)
        return -points if points is not None and body.measure == "ice" else points
    if body.measure in _WORDS:
        return _WORDS[body.measure].get(body.text, (None, ""))[0]
    return int(body.text == "yes")


def _word(fact: Fact | None) -> str:
    return fact.body.text if fact and isinstance(fact.body, Observation) else ""
