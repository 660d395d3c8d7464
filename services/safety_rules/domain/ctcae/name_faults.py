"""Names in a protocol that mean nothing in the criteria that it is read with."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from services.safety_rules.domain.ctcae.rule_book import TERM_OF_SCALE, Rules
from services.vocabulary.protocol import Protocol, Rule
from services.vocabulary.protocol_event import EventPattern

NameFault = tuple[str, str]


def find_name_faults(rules: Rules) -> Iterator[NameFault]:
    """Yield each unknown name, as (field, problem): a typo would count in silence."""
    protocol = rules.protocol
    terms = {*rules.terms, *TERM_OF_SCALE.values()}
    for rule in protocol.rules:
        yield from _check_rule(rule, terms, protocol)
    for name, term_set in protocol.term_sets.items():
        path = f"term_sets.{name}"
        socs = {term.soc for term in rules.terms.values()}
        yield from _find_unknown_names(
            f"{path}.without_socs", term_set.without_socs, socs, protocol
        )
        yield from _find_unknown_names(
            f"{path}.without_terms", term_set.without_terms, terms, protocol
        )
        yield from _find_unknown_names(f"{path}.only", term_set.only, terms, protocol)
    yield from _check_dosing(rules, terms)
    terms_to_confirm = protocol.laboratory.only_confirmed_after_steroid
    field = "laboratory.only_confirmed_after_steroid"
    yield from _find_unknown_names(field, terms_to_confirm, terms, protocol)


def _check_dosing(rules: Rules, terms: Collection[str]) -> Iterator[NameFault]:
    protocol = rules.protocol
    if protocol.dosing is None:
        return
    for name, rule in protocol.dosing.rules.items():
        path = f"dosing.rules.{name}"
        for index, pattern in enumerate(rule.any_of, 1):
            yield from _check_pattern(f"{path}.any_of.{index}", pattern, terms, protocol)
        for measure in rule.over_uln:
            if measure not in rules.compiled_criteria.by_measure:
                yield f"{path}.over_uln", f"{measure!r} is no measure of {protocol.criteria}"


def _check_rule(rule: Rule, terms: Collection[str], protocol: Protocol) -> Iterator[NameFault]:
    for index, pattern in enumerate(rule.any_of, 1):
        yield from _check_pattern(f"rules.{rule.id}.event.any_of.{index}", pattern, terms, protocol)


def _check_pattern(
    path: str, pattern: EventPattern, terms: Collection[str], protocol: Protocol
) -> Iterator[NameFault]:
    if pattern.scale and pattern.scale not in TERM_OF_SCALE:
        one_of = ", ".join(TERM_OF_SCALE)
        yield f"{path}.scale", f"{pattern.scale!r} is no scale; it is one of: {one_of}"
    if pattern.term_set and pattern.term_set not in protocol.term_sets:
        yield f"{path}.term_set", f"{pattern.term_set!r} is not in term_sets"
    if pattern.term:
        yield from _find_unknown_names(f"{path}.term", (pattern.term,), terms, protocol)


def _find_unknown_names(
    field: str, names: tuple[str, ...], known_names: Collection[str], protocol: Protocol
) -> Iterator[NameFault]:
    for name in names:
        if name not in known_names:
            close_matches = get_close_matches(name, known_names, n=1)
            hint = f"; did you mean {close_matches[0]!r}?" if close_matches else ""
            yield field, f"{name!r} is not in {protocol.criteria}{hint}"
