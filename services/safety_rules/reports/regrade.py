"""Preview of the changes under another version of the criteria."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.adapters.rules_version import list_tables
from services.safety_rules.adapters.study_rules import StudyRules
from services.safety_rules.application.recompute import assess
from services.safety_rules.domain.comparison.record_comparison import (
    RecordComparison,
    compare_records,
)
from services.safety_rules.domain.ctcae.name_faults import find_name_faults
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import journal, participants
from services.store.session import Connection
from services.vocabulary.clinical_fact import Death
from services.vocabulary.decision import Decision
from services.vocabulary.fact import Fact
from services.vocabulary.judgement import Adjudication, Assessment


@dataclass(frozen=True, slots=True)
class Preview:
    """The changes that another table would make to the same facts.

    Args:
        records: Those that would change.
        unchanged_count: Number of the others.
        decisions: The decision of each stopping rule now, and under the other table.
        carried_count: Number of human decisions and grades that are taken as they are, although
            they were given under the words of the other table.
        lost_terms: Number of those whose term the other table does not have, by criterion.
        faults: Names in the protocol that mean nothing there.
    """

    records: tuple[RecordComparison, ...]
    unchanged_count: int
    decisions: tuple[tuple[Decision, Decision], ...]
    carried_count: int
    lost_terms: Mapping[str, int]
    faults: tuple[tuple[str, str], ...]


def preview_regrade(conn: Connection, study: StudyRules, table: str) -> Preview:
    """Return the changes under *table*; nothing is written.

    Both sides are recomputed from the journal, so that nothing but the criteria differs.

    Raises:
        UntrustedFileError: The other table cannot be trusted.
        KeyError: There is no such table.
    """
    if table not in list_tables():
        raise KeyError(table)
    current_rules = study.rules
    proposed_table = load_table(table)
    protocol = replace(current_rules.protocol, criteria=table)
    proposed_rules = Rules(
        protocol,
        proposed_table.compiled,
        proposed_table.terms,
        f"{current_rules.version}-{table}",
        current_rules.measures,
        current_rules.drugs,
    )
    facts = _load_facts(conn, current_rules.protocol.study)
    criterion_map = match_terms(current_rules, proposed_rules)
    renamed_facts = [_rename_criterion(fact, criterion_map, current_rules) for fact in facts]
    current_trial = assess(current_rules, facts)
    proposed_trial = assess(proposed_rules, [fact for fact in renamed_facts if fact is not None])
    comparisons = compare_records(
        [one.content for one in current_trial.episodes],
        [one.content for one in proposed_trial.episodes],
        criterion_map,
    )
    return Preview(
        records=tuple(one for one in comparisons if one.is_changed),
        unchanged_count=sum(not one.is_changed for one in comparisons),
        decisions=tuple(zip(current_trial.decisions, proposed_trial.decisions, strict=True)),
        carried_count=0
        if table == current_rules.protocol.criteria
        else _count_carried(facts, renamed_facts),
        lost_terms=_count_names(
            _find_criterion(old)
            for old, new in zip(facts, renamed_facts, strict=True)
            if new is None
        ),
        faults=tuple(find_name_faults(proposed_rules)),
    )


def match_terms(current_rules: Rules, proposed_rules: Rules) -> Mapping[str, str]:
    """Return the criterion of the other table for each of this one.

    That of the same name; or, where the name is gone, the one new name that is graded from the
    same measures in the same direction (v5 "Platelet count decreased", v6 "Thrombocytopenia").
    """
    current_table, proposed_table = (
        current_rules.protocol.criteria,
        proposed_rules.protocol.criteria,
    )
    criterion_map = {
        f"{current_table}.{slug}": f"{proposed_table}.{slug}"
        for slug in current_rules.terms
        if slug in proposed_rules.terms
    }
    new_criteria = [
        one
        for one in proposed_rules.compiled_criteria.by_id.values()
        if one.id.removeprefix(f"{proposed_table}.") not in current_rules.terms
    ]
    for criterion in current_rules.compiled_criteria.by_id.values():
        alike = [
            other.id
            for other in new_criteria
            if (set(other.measures), other.direction)
            == (set(criterion.measures), criterion.direction)
        ]
        if criterion.id not in criterion_map and len(alike) == 1:
            criterion_map[criterion.id] = alike[0]
    return criterion_map


def _load_facts(conn: Connection, study: str) -> list[Fact]:
    return [
        known.fact
        for subject in sorted(participants.load_participants(conn, study))
        for known in journal.load_facts_between(conn, subject, 0)
    ]


def _rename_criterion(
    fact: Fact, criterion_map: Mapping[str, str], current_rules: Rules
) -> Fact | None:
    """Return *fact* with the name of its term in the other table; None: it has none."""
    criterion = _find_criterion(fact)
    if not current_rules.has_term(criterion):
        return fact
    new_criterion = criterion_map.get(criterion)
    if new_criterion is None:
        return None
    match fact.body:
        case Adjudication() | Assessment() as body:
            return structs.replace(fact, body=structs.replace(body, criterion=new_criterion))
        case Death() as death:
            return structs.replace(fact, body=structs.replace(death, cause=new_criterion))
    return fact


def _find_criterion(fact: Fact) -> str:
    match fact.body:
        case Adjudication(criterion=criterion) | Assessment(criterion=criterion):
            return criterion
        case Death(cause=cause):
            return cause
    return ""


def _count_carried(facts: Sequence[Fact], renamed_facts: Sequence[Fact | None]) -> int:
    pairs = zip(facts, renamed_facts, strict=True)
    return sum(new is not None and new is not old for old, new in pairs)


def _count_names(names: Iterable[str]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
