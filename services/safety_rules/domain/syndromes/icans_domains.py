"""The domains of ICANS: words of four of them, the score, and what was there before exposure.

Source: Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, tables 4 to 6; where it is
silent: docs/decisions/bedside.md
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median_high, median_low

from services.safety_rules.domain.syndromes.bedside import (
    AS_BEFORE,
    ChartedReadings,
    SignGrade,
    find_current_reading,
    find_worst_grade,
)
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.fact import Fact
from services.vocabulary.grade import Grade, Input

_NORMAL, _MILD, _MODERATE, _SEVERE, _LIFE = list(Grade)[:5]

# Each word that a domain may be charted with, and its grade.
_WORDS: Mapping[str, Mapping[str, tuple[Grade, str]]] = {
    "arousal": {
        "spontaneous": (_NORMAL, "awakens spontaneously"),
        "voice": (_MODERATE, "awakens to voice"),
        "tactile": (_SEVERE, "awakens only to tactile stimulus"),
        "unarousable": (_LIFE, "unarousable"),
    },
    "seizure": {
        "none": (_NORMAL, "no seizure"),
        "brief": (_SEVERE, "seizure that resolved rapidly"),
        "prolonged": (_LIFE, "prolonged or repetitive seizure"),
    },
    "motor": {
        "none": (_NORMAL, "no motor weakness"),
        "deep-focal": (_LIFE, "deep focal motor weakness"),
    },
    "edema": {
        "none": (_NORMAL, "no edema"),
        "focal": (_SEVERE, "focal cerebral edema"),
        "diffuse": (_LIFE, "diffuse cerebral edema or raised intracranial pressure"),
    },
}
_SCORES = frozenset({"ice", "capd"})
_LASTING_SIGNS = frozenset({"arousal", "motor", "edema"})
_CONFOUNDING_SIGNS = frozenset({"sedation", "intracranial-hemorrhage"})
BASELINE_MEASURES = _SCORES | _LASTING_SIGNS | {"sedation"}
_MEASURES_OF_V6 = _SCORES | {"arousal", "sedation"}
MEASURES = frozenset(_WORDS) | _SCORES | _CONFOUNDING_SIGNS

# ICE score: at or above which number which grade. Zero depends on arousal.
_ICE = (
    (Decimal(10), _NORMAL),
    (Decimal(7), _MILD),
    (Decimal(3), _MODERATE),
    (Decimal(1), _SEVERE),
)
_CAPD_SEVERE = Decimal(9)
HIGHEST = {"ice": Decimal(10), "capd": Decimal(32)}


@dataclass(frozen=True, slots=True)
class IcansBaseline:
    """Scores and words before exposure.

    Args:
        scores: The usual ICE and CAPD, where they were scored.
        words: The usual grade of each other domain that lasts.
    """

    scores: Mapping[str, Decimal] = field(default_factory=dict)
    words: Mapping[str, Grade] = field(default_factory=dict)


_NO_BASELINE = IcansBaseline()


def summarize_baseline(earlier_readings: Sequence[Fact]) -> IcansBaseline:
    """Return the middle of *earlier_readings*, in time order; of two, the milder.

    Readings under sedation say nothing.
    """
    scores: dict[str, list[Decimal]] = {}
    words: dict[str, list[Grade]] = {}
    is_sedated = False
    for fact in sorted(earlier_readings, key=_sedation_first):
        body = fact.body
        if not isinstance(body, Observation):
            continue
        if body.measure == "sedation":
            is_sedated = body.text == "yes"
        elif is_sedated:
            continue
        elif body.measure in _SCORES:
            points = _read_points(body)
            scores.setdefault(body.measure, []).extend([] if points is None else [points])
        elif body.text in _WORDS[body.measure]:
            words.setdefault(body.measure, []).append(_WORDS[body.measure][body.text][0])
    return IcansBaseline(
        {
            name: (median_high if name == "ice" else median_low)(points)
            for name, points in scores.items()
            if points
        },
        {name: median_low(grades) for name, grades in words.items()},
    )


def _sedation_first(fact: Fact) -> tuple[datetime, bool]:
    """Return the place of a reading, after what says whether it was made under sedation."""
    is_sedation = isinstance(fact.body, Observation) and fact.body.measure == "sedation"
    return fact.observed_at, not is_sedation


def grade_icans(
    readings: ChartedReadings,
    instant: datetime,
    stays: timedelta,
    baseline: IcansBaseline = _NO_BASELINE,
) -> SignGrade:
    """Return the grade at *instant*: the worst of the known domains.

    Args:
        readings: Last of each measure.
        instant: The instant.
        stays: The time for which a reading stays current.
        baseline: Before exposure: no worse than then is not affected.
    """
    return find_worst_grade(list(_grade_domains(readings, instant, stays, baseline)))


def grade_v6(
    readings: ChartedReadings, instant: datetime, stays: timedelta, baseline: IcansBaseline
) -> SignGrade:
    """Return the grade of CTCAE v6.0, which reads the score and the arousal alone.

    Source: CTCAE v6.0, Nervous system disorders, "Immune effector cell-associated neurotoxicity
    syndrome"
    """
    v6_readings = {name: fact for name, fact in readings.items() if name in _MEASURES_OF_V6}
    return grade_icans(v6_readings, instant, stays, baseline)


def _grade_domains(
    readings: ChartedReadings, instant: datetime, stays: timedelta, baseline: IcansBaseline
) -> Iterator[SignGrade]:
    current_readings = _find_current_readings(readings, instant, stays)
    sedation = current_readings.get("sedation")
    is_sedated = _read_word(sedation) == "yes"
    has_hemorrhage = _read_word(current_readings.get("intracranial-hemorrhage")) == "yes"
    for name, words in _WORDS.items():
        fact = current_readings.get(name)
        is_confounded = (has_hemorrhage and name in ("edema", "motor")) or (
            is_sedated and name == "arousal"
        )
        if fact is not None and not is_confounded:
            yield _grade_word(fact, words, baseline.words.get(name, _NORMAL))
    if sedation is not None and is_sedated:
        missing = (Input.AROUSAL, Input.ICE, Input.UNSEDATED_ASSESSMENT)
        yield SignGrade(_NORMAL, _LIFE, "sedated", missing, (sedation,))
    else:
        yield _grade_cognition(current_readings, baseline)


def _find_current_readings(
    readings: ChartedReadings, instant: datetime, stays: timedelta
) -> Mapping[str, Fact]:
    return {
        name: fact
        for name in MEASURES
        if (fact := find_current_reading(readings, name, instant, stays))
    }


def _grade_word(
    fact: Fact, words: Mapping[str, tuple[Grade, str]], usual_grade: Grade
) -> SignGrade:
    grade, because = words.get(_read_word(fact), (_NORMAL, ""))
    if not because:
        return SignGrade(_NORMAL, _LIFE, missing=(Input.TEXT,))
    if _NORMAL < grade <= usual_grade:
        return SignGrade(_NORMAL, _NORMAL, f"{because}, {AS_BEFORE}")
    return SignGrade(grade, grade, because, facts=(fact,) if grade else ())


def _grade_cognition(current_readings: Mapping[str, Fact], baseline: IcansBaseline) -> SignGrade:
    """Return the grade by ICE, or by CAPD in children who cannot be scored by ICE."""
    arousal = _read_word(current_readings.get("arousal"))
    worst_possible = _SEVERE if arousal and arousal != "unarousable" else _LIFE
    ice, capd = current_readings.get("ice"), current_readings.get("capd")
    if ice is None and capd is not None:
        return _grade_capd(capd, baseline.scores.get("capd", Decimal(0)))
    score = _read_score(ice)
    if ice is None or score is None:
        missing = (Input.ICE,) if arousal else (Input.ICE, Input.AROUSAL)
        return SignGrade(_NORMAL, worst_possible, missing=missing)
    lost_points = baseline.scores.get("ice", HIGHEST["ice"]) - score
    if score == 0:
        missing_inputs = () if arousal else (Input.AROUSAL,)
        level = SignGrade(_SEVERE, worst_possible, "ICE 0", missing_inputs, (ice,))
    else:
        grade = _grade_ice(score)
        level = SignGrade(grade, grade, f"ICE {score}", facts=(ice,) if grade else ())
    return _compare_with_usual(level, lost_points, _grade_ice(HIGHEST["ice"] - lost_points))


def _grade_ice(score: Decimal) -> Grade:
    """Return the grade of a score, when the participant can be woken."""
    return next((grade for least, grade in _ICE if score >= least), _SEVERE)


def _grade_capd(fact: Fact, usual_score: Decimal) -> SignGrade:
    """Return the grade of a CAPD score; arousal, a domain of its own, makes it worse."""
    score = _read_score(fact)
    if score is None:
        return SignGrade(_NORMAL, _LIFE, missing=(Input.ICE,))
    grade = _find_capd_grade(score)
    level = SignGrade(grade, grade, f"CAPD {score}", facts=(fact,) if grade else ())
    if grade > _find_capd_grade(usual_score):
        return level  # from 9 on it is delirium, whatever was noticed before
    return _compare_with_usual(level, score - usual_score, _find_capd_grade(score - usual_score))


def _find_capd_grade(score: Decimal) -> Grade:
    """Return the grade of a score: below 9 it is 1; 0 or less: nothing noticed."""
    if score >= _CAPD_SEVERE:
        return _SEVERE
    return _MILD if score > 0 else _NORMAL


def _compare_with_usual(level: SignGrade, change: Decimal, grade_of_change: Grade) -> SignGrade:
    """Return *level*, the grade of a score, given how far it is from the usual one.

    Args:
        level: Of the score itself.
        change: Points worse than usual; 0 or less: no worse.
        grade_of_change: Of so many points worse than a normal score.
    """
    if level.at_least is _NORMAL or grade_of_change >= level.at_least:
        return level
    if change > 0:
        missing = tuple(sorted({*level.missing, Input.TEXT}))
        return SignGrade(grade_of_change, level.at_most, level.because, missing, level.facts)
    at_most = level.at_most if level.missing else _NORMAL
    return SignGrade(_NORMAL, at_most, f"{level.because}, {AS_BEFORE}", level.missing)


def _read_score(fact: Fact | None) -> Decimal | None:
    return _read_points(fact.body) if fact and isinstance(fact.body, Observation) else None


def _read_points(body: Observation) -> Decimal | None:
    """Return a score; None when it is no whole number that the score can have."""
    value = body.value
    if value is None or value.censoring is not None:
        return None
    is_whole_number = value.value == value.value.to_integral_value()
    return value.value if is_whole_number and 0 <= value.value <= HIGHEST[body.measure] else None


def rank_severity(body: Observation) -> Decimal | int | None:
    """Return the rank of a reading among others of its measure; None: it cannot be read."""
    if body.measure in _SCORES:
        points = _read_points(body)
        return -points if points is not None and body.measure == "ice" else points
    if body.measure in _WORDS:
        return _WORDS[body.measure].get(body.text, (None, ""))[0]
    return int(body.text == "yes")


def _read_word(fact: Fact | None) -> str:
    return fact.body.text if fact and isinstance(fact.body, Observation) else ""
