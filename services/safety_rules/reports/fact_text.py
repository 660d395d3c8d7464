"""A fact in one line: what it says, when it was true, how far its sender stands by it."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from services.safety_rules.reports.graft_fact_text import list_graft_words
from services.vocabulary.clinical_fact import (
    Administration,
    Culture,
    Death,
    Enrolment,
    Movement,
    Observation,
    Transplant,
)
from services.vocabulary.fact import Body, Fact
from services.vocabulary.judgement import Adjudication, Assessment, Finding
from services.vocabulary.quantity import Quantity

_ID_LENGTH = 8


def describe_fact(fact: Fact, format_time: Callable[[datetime], str]) -> str:
    """Return *fact* in one line, its time as *format_time* writes it."""
    status = fact.status.name.lower().replace("_", " ")
    return (
        f"{describe_body(fact.body)}, {format_time(fact.observed_at)}, {status},"
        f" fact {fact.id[:_ID_LENGTH]}"
    )


def find_topic(body: Body) -> str:
    """Return the measure of a result, the drug of an administration, or the kind of a fact."""
    match body:
        case Observation(measure=measure):
            return measure
        case Administration(drug=drug):
            return drug
    return body.kind


def summarize_facts(facts: Sequence[Fact], format_time: Callable[[datetime], str]) -> str:
    """Return several *facts* of one topic, in time order, in one line: numbers by their range."""
    first, last = (format_time(facts[place].observed_at) for place in (0, -1))
    values = [fact.body.value for fact in facts if isinstance(fact.body, Observation)]
    numbers = [value.value for value in values if value is not None and value.censoring is None]
    units = {value.unit for value in values if value is not None}
    if len(numbers) == len(facts) and len(units) == 1:
        content = f"{find_topic(facts[0].body)} {min(numbers)} to {max(numbers)} {units.pop()}"
    else:
        counts = Counter(describe_body(fact.body) for fact in facts)
        parts = [f"{text} ({number})" for text, number in sorted(counts.items())]
        content = ", ".join(parts if len(counts) > 1 else counts)
    return f"{content}: {len(facts)} from {first} to {last}"


def describe_body(body: Body) -> str:
    """Return the content of a fact in words, without its time.

    >>> from decimal import Decimal
    >>> count = Quantity(Decimal("0.4"), "10*9/L")
    >>> describe_body(Observation("neutrophils", count, lln=Quantity(Decimal("1.5"), "10*9/L")))
    'neutrophils 0.4 10*9/L (normal 1.5 to ?)'
    """
    words = _list_clinical_words(body) or list_graft_words(body) or _list_judgement_words(body)
    return " ".join(word for word in words or (body.kind,) if word)


def _list_clinical_words(body: Body) -> tuple[str, ...]:
    """Return the words of what a site reports; empty for another fact."""
    words: tuple[str, ...] = ()
    match body:
        case Observation():
            words = _list_observation_words(body)
        case Administration(drug=drug, action=action, dose=dose, route=route):
            reason = "as the protocol schedules" if body.scheduled else ""
            words = (drug, str(action), describe_quantity(dose), route, reason)
        case Movement(to=place, cancelled=is_cancelled):
            words = ("movement cancelled:" if is_cancelled else "movement to", place)
        case Death(cause=cause):
            words = ("death", f"of {cause}" if cause else "")
        case Transplant(donor=donor, number=number):
            words = (f"transplant {number}", donor)
        case Enrolment(site=site):
            words = ("enrolment at", site)
        case Culture(positive=is_positive, organism=organism):
            words = ("culture positive" if is_positive else "culture negative", organism)
    return words


def _list_judgement_words(body: Body) -> tuple[str, ...]:
    """Return the words of what a person judged; empty for another fact."""
    words: tuple[str, ...] = ()
    match body:
        case Assessment(grade=grade, by=signer, note=note):
            words = (f"assessed grade {grade} by {signer}", _quote(note))
        case Finding(symptoms=symptoms, infarction=infarction, by=signer, note=note):
            findings = [] if symptoms is None else [f"symptoms {symptoms}"]
            findings += (
                [] if infarction is None else [f"infarction {'yes' if infarction else 'no'}"]
            )
            words = (", ".join(findings), f"seen by {signer}", _quote(note))
        case Adjudication(verdict=verdict, by=signer, reason=reason):
            words = (f"{verdict} by {signer}:", reason)
    return words


def describe_quantity(quantity: Quantity | None) -> str:
    """Return the number with its unit; empty when there is none."""
    if quantity is None:
        return ""
    return f"{quantity.censoring or ''}{quantity.value} {quantity.unit or '(no unit)'}"


def _list_observation_words(body: Observation) -> tuple[str, ...]:
    has_limits = body.lln is not None or body.uln is not None
    limits = f"(normal {_describe_limit(body.lln)} to {_describe_limit(body.uln)})"
    return (
        body.measure,
        describe_quantity(body.value) if body.value else body.text,
        limits if has_limits else "",
        {True: "fasting", False: "not fasting", None: ""}[body.fasting],
        {True: "at rest", False: "not at rest", None: ""}[body.at_rest],
    )


def _describe_limit(quantity: Quantity | None) -> str:
    return "?" if quantity is None else str(quantity.value)


def _quote(text: str) -> str:
    return f'"{text}"' if text else ""
