"""What would change under another version of the criteria, before anything does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.adapters.rules_version import TABLES
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
from services.vocabulary.decision import Decision
from services.vocabulary.fact import Adjudication, Assessment, Death, Fact


@dataclass(frozen=True, slots=True)
class Preview:
    """What another table would make of the same facts.

    Args:
        records: Those that would change.
        unchanged: How many would not.
        decisions: What each stopping rule says now, and would say; of one rule each.
        carried: How many human decisions and grades were taken over as they are, although they were
            given under the words of the other table.
        lost: Those whose term the other table has not: criterion, and how many.
        faults: Names in the protocol that mean nothing there.
    """

    records: tuple[RecordComparison, ...]
    unchanged: int
    decisions: tuple[tuple[Decision, Decision], ...]
    carried: int
    lost: Mapping[str, int]
    faults: tuple[tuple[str, str], ...]


def tables() -> list[str]:
    """Return the names of all tables of criteria."""
    return sorted(one.name for one in TABLES.iterdir() if one.is_dir())


def preview(conn: Connection, study: StudyRules, table: str) -> Preview:
    """Return what *table* would change; nothing is written.

    Both sides are counted anew from the journal, so that nothing but the criteria differs.

    Raises:
        CriteriaFileError: The other table cannot be trusted.
        KeyError: There is no such table.
    """
    if table not in tables():
        raise KeyError(table)
    now = study.rules
    other = load_table(table)
    protocol = replace(now.protocol, criteria=table)
    then = Rules(
        protocol, other.compiled, other.terms, f"{now.version}-{table}", now.measures, now.drugs
    )
    facts = _facts(conn, now.protocol.study)
    same = same_terms(now, then)
    moved = [_moved(fact, same, now) for fact in facts]
    before = assess(now, facts)
    after = assess(then, [fact for fact in moved if fact is not None])
    found = compare_records(
        [one.content for one in before.episodes],
        [one.content for one in after.episodes],
        same,
    )
    return Preview(
        records=tuple(one for one in found if one.is_changed),
        unchanged=sum(not one.is_changed for one in found),
        decisions=tuple(zip(before.decisions, after.decisions, strict=True)),
        carried=0 if table == now.protocol.criteria else _carried(facts, moved),
        lost=_counted(
            _criterion(old) for old, new in zip(facts, moved, strict=True) if new is None
        ),
        faults=tuple(find_name_faults(then)),
    )


def same_terms(now: Rules, then: Rules) -> Mapping[str, str]:
    """Return the criterion of the other table that is meant by each of this one.

    That of the same name; or, where the name is gone, the one new name that is graded from the
    same measures in the same direction (v5 "Platelet count decreased", v6 "Thrombocytopenia").
    """
    old, new = now.protocol.criteria, then.protocol.criteria
    found = {f"{old}.{slug}": f"{new}.{slug}" for slug in now.terms if slug in then.terms}
    renamed = [
        one
        for one in then.compiled_criteria.by_id.values()
        if one.id.removeprefix(f"{new}.") not in now.terms
    ]
    for one in now.compiled_criteria.by_id.values():
        alike = [
            other.id
            for other in renamed
            if (set(other.measures), other.direction) == (set(one.measures), one.direction)
        ]
        if one.id not in found and len(alike) == 1:
            found[one.id] = alike[0]
    return found


def _facts(conn: Connection, study: str) -> list[Fact]:
    return [
        known.fact
        for subject in sorted(participants.load_participants(conn, study))
        for known in journal.load_facts_between(conn, subject, 0)
    ]


def _moved(fact: Fact, same: Mapping[str, str], now: Rules) -> Fact | None:
    """Return *fact* with the name that the other table has for its term; None: it has none."""
    criterion = _criterion(fact)
    if not now.has_term(criterion):
        return fact
    other = same.get(criterion)
    if other is None:
        return None
    match fact.body:
        case Adjudication() | Assessment() as body:
            return replace(fact, body=replace(body, criterion=other))
        case Death() as death:
            return replace(fact, body=replace(death, cause=other))
    return fact


def _criterion(fact: Fact) -> str:
    match fact.body:
        case Adjudication(criterion=criterion) | Assessment(criterion=criterion):
            return criterion
        case Death(cause=cause):
            return cause
    return ""


def _carried(facts: Sequence[Fact], moved: Sequence[Fact | None]) -> int:
    pairs = zip(facts, moved, strict=True)
    return sum(new is not None and new is not old for old, new in pairs)


def _counted(names: Iterable[str]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items()))
