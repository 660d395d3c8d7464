"""The same facts give the same current records, in whatever order and messages they arrive."""

from datetime import timedelta
from random import Random

import pytest

from services.runtime.canonical_json import write_canonical
from services.safety_rules.application.recompute import assess, recompute_family
from services.safety_rules.domain.facts.linked_groups import link_participants
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
)
from services.safety_rules.domain.participant.received_message import group_by_message
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.vocabulary.episode import EpisodeState
from services.vocabulary.fact import JournalEntry
from services.vocabulary.identity_change import Move
from tests.helpers.fact_notes import hours
from tests.helpers.random_trials import PEOPLE, RULES, shuffle_messages, trial

FEW_SEEDS, ALL_SEEDS = (1, 7, 18), range(30)
SEEDS = [
    *FEW_SEEDS,
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in ALL_SEEDS if seed not in FEW_SEEDS),
]
END = hours(2000)
LEAST_MOVED = 5  # trials, at least, in which a move changes a record


def groups(facts):
    return link_participants(PEOPLE, facts)


def fold_messages(facts, messages):
    """The families of *facts*, having heard *messages*."""
    trial_families = [LinkedParticipants(group, RULES) for group in groups(facts)]
    for subject, facts_of_message in messages:
        next(family for family in trial_families if subject in family.members).receive(
            subject, facts_of_message
        )
    return trial_families


def write_families(trial_families):
    """Records, standings and queries, as text."""
    lines = []
    for family in trial_families:
        for member in family.members:
            lines.append(write_canonical(family.list_records(member)))
            fold = family.find_fold(member)
            if fold is not None:
                lines.append(write_canonical([o.standing for o in fold.find_standings(END)]))
                lines.append(write_canonical(sorted(fold.list_queries(), key=lambda q: q.facts)))
    return lines


def make_journal(messages):
    """A journal of each subject: the messages in order of receipt, five minutes apart."""
    seqs, journal = dict.fromkeys(PEOPLE, 0), []
    for number, (subject, facts_of_message) in enumerate(messages):
        for fact in facts_of_message:
            seqs[subject] += 1
            received_at = hours(-2000) + timedelta(minutes=5 * number)
            journal.append(JournalEntry(seqs[subject], received_at, f"m{number}", fact))
    return journal


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_any_parcels_and_repeats_give_the_same_records(seed):
    facts, chance = trial(seed), Random(seed)
    plain = write_families(fold_messages(facts, [(one.subject, [one]) for one in facts]))
    for _ in range(12):
        assert write_families(fold_messages(facts, shuffle_messages(facts, chance))) == plain


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_folded_step_by_step_is_what_is_folded_from_nothing(seed):
    facts, chance = trial(seed), Random(seed)
    messages = shuffle_messages(facts, chance)
    compared_after = sorted(chance.sample(range(len(messages)), 6))
    trial_families = fold_messages(facts, [])
    for number, (subject, facts_of_message) in enumerate(messages):
        next(family for family in trial_families if subject in family.members).receive(
            subject, facts_of_message
        )
        for family in trial_families:
            for member in family.members:
                family.list_records(member)  # asked after every message, so that nothing is put off
        if number in compared_after:
            assert write_families(trial_families) == write_families(
                fold_messages(facts, messages[: number + 1])
            )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_current_records_and_standings_do_not_depend_on_the_journal(seed):
    facts, chance = trial(seed), Random(seed)
    ends = set()
    for _ in range(4):
        journal = make_journal(shuffle_messages(facts, chance))
        recounts = [
            recompute_family(RULES, group, journal_of(journal, group), END)
            for group in groups(facts)
        ]
        contents = [e.content for one in recounts for e in one.latest if not e.retracted]
        stands = [standing for one in recounts for standing in one.standings]
        ends.add(tuple(sorted(map(write_canonical, [*contents, *stands]))))
    assert len(ends) == 1


def journal_of(journal, group):
    return [known for known in journal if known.fact.subject in group]


def write_history(recount):
    return write_canonical([recount.versions, recount.standing_changes])


@pytest.mark.parametrize("seed", SEEDS)
def test_one_journal_replayed_is_one_history_byte_for_byte(seed):
    facts, chance = trial(seed), Random(seed)
    journal = make_journal(shuffle_messages(facts, chance))
    for group in groups(facts):
        group_journal = journal_of(journal, group)
        history = recompute_family(RULES, group, group_journal, END)
        assert write_history(history) == write_history(
            recompute_family(RULES, group, group_journal[::-1], END)
        )
        ids = {(one.id, one.version) for one in history.versions}
        assert len(ids) == len(history.versions)
        assert write_history_with_restarts(group, group_journal, chance) == write_history(history)


def write_history_with_restarts(group, journal, chance):
    """The history written by a process that is restarted at random and resumes from its records."""
    versions, standing_rows, messages_heard = [], [], []
    messages = group_by_message(journal)
    record_history = RecordHistory(LinkedParticipants(group, RULES), RULES)
    for message in messages:
        if chance.random() < 0.1:
            record_history = resume_history(group, messages_heard, versions, standing_rows)
        record_history.receive(message)
        messages_heard.append(message)
        changes = record_history.take_changes()
        versions += changes[0]
        standing_rows += changes[1]
    record_history.pass_time(END)
    standing_rows += record_history.take_changes()[1]
    return write_canonical([versions, standing_rows])


def resume_history(group, messages_heard, versions, standing_rows):
    record_history = RecordHistory(LinkedParticipants(group, RULES), RULES)
    latest = {one.id: one for one in versions}
    standings = {(s.standing.participant, s.standing.rule): s.standing for s in standing_rows}
    record_history.resume(messages_heard, latest.values(), standings.values())
    return record_history


@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_makes_one_version_of_a_record_at_most(seed):
    facts = trial(seed)
    journal = make_journal(shuffle_messages(facts, Random(seed)))
    for group in groups(facts):
        versions = recompute_family(RULES, group, journal_of(journal, group), END).versions
        assert len({(one.id, one.recorded_at) for one in versions}) == len(versions)


@pytest.mark.parametrize("seed", FEW_SEEDS)
def test_a_file_of_facts_is_assessed_alike_in_any_order(seed):
    facts, chance = trial(seed), Random(seed)
    plain = assess(RULES, facts)
    shuffled_facts = [*facts, *chance.sample(facts, 20)]
    chance.shuffle(shuffled_facts)
    assert write_canonical(assess(RULES, shuffled_facts)) == write_canonical(plain)


def has_moved_record(facts):
    """Return True when the moves of visits change any record."""
    facts_without_moves = [one for one in facts if not isinstance(one.body, Move)]
    return len(facts_without_moves) < len(facts) and write_families(
        fold_messages(facts, [("P-001", facts)])
    ) != write_families(fold_messages(facts, [("P-001", facts_without_moves)]))


def test_the_trials_contain_what_they_are_meant_to_test():
    assessments = [assess(RULES, trial(seed)) for seed in range(10)]
    records = [one.content for assessed in assessments for one in assessed.episodes]
    is_present = {
        "possible": any(r.possible for r in records),
        "before exposure": any(r.before_exposure for r in records),
        "rejected": any(r.state is EpisodeState.REJECTED for r in records),
        "confirmed": any(r.state is EpisodeState.CONFIRMED for r in records),
        "provisional": any(r.provisional for r in records),
        "fatal": any(r.worst.at_least == 5 for r in records),
        "linked": any(r.linked_to for r in records),
        "CRS": any(r.criterion == "astct-2019.crs" for r in records),
        "interval": any(r.worst.at_least < r.worst.at_most for r in records),
        "unclear onset": any(r.onset_not_before for r in records),
        "told apart by a drug": any(
            "replaced" in change.because for r in records for change in r.history
        ),
        "told apart by a finding": any(
            "seen by" in change.because for r in records for change in r.history
        ),
        "baseline grade": any(r.baseline_grade for r in records),
        "queries": any(assessed.queries for assessed in assessments),
        "events": any(s.event for assessed in assessments for s in assessed.standings),
        "merged": any(len(groups(trial(seed))) == 1 for seed in ALL_SEEDS),
        "moved": sum(has_moved_record(trial(seed)) for seed in ALL_SEEDS) >= LEAST_MOVED,
        "not merged": any(len(groups(trial(seed))) == 2 for seed in ALL_SEEDS),
    }
    assert [what for what, assessments in is_present.items() if not assessments] == []
