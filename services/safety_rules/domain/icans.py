"""Immune effector cell-associated neurotoxicity syndrome, ASTCT 2019: the worst of its domains.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, tables 4 to 6; where it is
silent: docs/decisions/bedside.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from services.safety_rules.domain.bedside import (
    BedsideContext,
    Charted,
    Drugs,
    Level,
    charted,
    induced,
    induces,
    still_true,
    worst,
)
from services.safety_rules.domain.laboratory import FINAL
from services.safety_rules.domain.runs import Run
from services.safety_rules.domain.segments import Graded, Segments, extended
from services.safety_rules.domain.segments import runs as runs_of
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
MEASURES = frozenset(_WORDS) | _SCORES | _OTHERS

# ICE score: at or above which number which grade. Zero depends on arousal.
_ICE = ((Decimal(10), _NONE), (Decimal(7), _MILD), (Decimal(3), _MODERATE), (Decimal(1), _SEVERE))
_CAPD_SEVERE = Decimal(9)


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


def step(state: IcansState, at: datetime, facts: Sequence[Fact]) -> IcansState:
    """Return the state after all *facts* of the instant *at*, whatever their order."""
    drugs = state.drugs
    for fact in sorted(facts, key=lambda f: f.id):
        drugs = drugs.after(fact)
    readings = charted(state.readings, facts, MEASURES)
    after = replace(state, readings=readings, drugs=drugs)
    assessed = any(isinstance(fact.body, Observation) for fact in facts)
    is_open = state.segments.open is not None
    if not assessed or not (is_open or _may_begin(state, drugs, at)):
        return after
    level = graded(readings, at, state.protocol.bedside.ice_stays)
    reading = Graded(
        at,
        Span(level.at_least, level.at_most),
        level.because or "no domain affected",
        tuple(level.missing),
        tuple(sorted(fact.id for fact in level.facts)),
        provisional=any(fact.status not in FINAL for fact in level.facts),
    )
    return replace(after, segments=extended(state.segments, reading, state.protocol.merge_gap))


def runs(state: IcansState) -> tuple[Run, ...]:
    """Return every episode in time order; the last may be open."""
    return runs_of(state.segments)


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
    now = {name: found for name in MEASURES if (found := still_true(readings, name, at, stays))}
    sedated = _word(now.get("sedation")) == "yes"
    bleeds = _word(now.get("intracranial-hemorrhage")) == "yes"
    for name, words in _WORDS.items():
        fact = now.get(name)
        if fact is None or (bleeds and name in ("edema", "motor")):
            continue
        grade, because = words.get(_word(fact), (_NONE, ""))
        if not because:
            yield Level(_NONE, _LIFE, missing=(Input.TEXT,))
        elif not (sedated and name == "arousal"):
            yield Level(grade, grade, because, facts=(fact,) if grade else ())
    if sedated:
        yield Level(_NONE, _LIFE, missing=(Input.AROUSAL, Input.ICE))
    else:
        yield _cognition(now)


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
    value = fact.body.value if fact and isinstance(fact.body, Observation) else None
    in_range = value is not None and value.censoring is None and value.value >= 0
    return value.value if value is not None and in_range else None


def _word(fact: Fact | None) -> str:
    return fact.body.text if fact and isinstance(fact.body, Observation) else ""
