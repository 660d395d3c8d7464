"""Whether every name in a protocol means something in the criteria that it is read with."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from services.safety_rules.domain.ctcae.rule_book import TERM_OF_SCALE, Rules
from services.vocabulary.protocol import Protocol, Rule
from services.vocabulary.protocol_event import EventPattern

NameFault = tuple[str, str]


def find_name_faults(rules: Rules) -> Iterator[NameFault]:
    """Yield each name that means nothing, as (field, problem): a typo would count in silence."""
    protocol = rules.protocol
    terms = {*rules.terms, *TERM_OF_SCALE.values()}
    for rule in protocol.rules:
        yield from _check_rule(rule, terms, protocol)
    for name, chosen in protocol.term_sets.items():
        at = f"term_sets.{name}"
        socs = {term.soc for term in rules.terms.values()}
        yield from _find_unknown_names(f"{at}.without_socs", chosen.without_socs, socs, protocol)
        yield from _find_unknown_names(f"{at}.without_terms", chosen.without_terms, terms, protocol)
        yield from _find_unknown_names(f"{at}.only", chosen.only, terms, protocol)
    yield from _check_dosing(rules, terms)
    once_confirmed = protocol.laboratory.only_confirmed_after_steroid
    field = "laboratory.only_confirmed_after_steroid"
    yield from _find_unknown_names(field, once_confirmed, terms, protocol)


def _check_dosing(rules: Rules, terms: Collection[str]) -> Iterator[NameFault]:
    protocol = rules.protocol
    if protocol.dosing is None:
        return
    for name, rule in protocol.dosing.rules.items():
        at = f"dosing.rules.{name}"
        for index, pattern in enumerate(rule.any_of):
            yield from _check_pattern(f"{at}.any_of.{index}", pattern, terms, protocol)
        for measure in rule.over_uln:
            if measure not in rules.compiled_criteria.by_measure:
                yield f"{at}.over_uln", f"{measure!r} is no measure of {protocol.criteria}"


def _check_rule(rule: Rule, terms: Collection[str], protocol: Protocol) -> Iterator[NameFault]:
    for index, pattern in enumerate(rule.any_of):
        yield from _check_pattern(f"rules.{rule.id}.event.any_of.{index}", pattern, terms, protocol)


def _check_pattern(
    at: str, pattern: EventPattern, terms: Collection[str], protocol: Protocol
) -> Iterator[NameFault]:
    if pattern.scale and pattern.scale not in TERM_OF_SCALE:
        one_of = ", ".join(TERM_OF_SCALE)
        yield f"{at}.scale", f"{pattern.scale!r} is no scale; it is one of: {one_of}"
    if pattern.term_set and pattern.term_set not in protocol.term_sets:
        yield f"{at}.term_set", f"{pattern.term_set!r} is not in term_sets"
    if pattern.term:
        yield from _find_unknown_names(f"{at}.term", (pattern.term,), terms, protocol)


def _find_unknown_names(
    field: str, names: tuple[str, ...], known: Collection[str], protocol: Protocol
) -> Iterator[NameFault]:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield field, f"{name!r} is not in {protocol.criteria}{hint}"
