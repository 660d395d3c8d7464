"""The same facts, in whatever order and parcels they come, are the same current records."""

from datetime import timedelta
from random import Random

import pytest

from services.runtime import wire
from services.safety_rules.application.recompute import assess, recount
from services.safety_rules.domain.participant.linked_participants import (
    LinkedParticipants,
    link_participants,
)
from services.safety_rules.domain.participant.record_history import RecordHistory, group_by_message
from services.vocabulary.episode import EpisodeState
from services.vocabulary.fact import JournalEntry, Move
from tests.helpers.fact_notes import hours
from tests.helpers.random_trials import PEOPLE, RULES, shuffle_messages, trial

FEW, ALL = (1, 7, 18), range(30)
SEEDS = [*FEW, *(pytest.param(seed, marks=pytest.mark.slow) for seed in ALL if seed not in FEW)]
END = hours(2000)
MOVED = 5  # trials, at least, in which a move changes a record


def groups(facts):
    return link_participants(PEOPLE, facts)


def folded(facts, messages):
    """The families of *facts*, having heard *messages*."""
    found = [LinkedParticipants(group, RULES) for group in groups(facts)]
    for subject, together in messages:
        next(family for family in found if subject in family.members).receive(subject, together)
    return found


def said(found):
    """Records, standings and queries, as text."""
    lines = []
    for family in found:
        for member in family.members:
            lines.append(wire.write_canonical(family.list_records(member)))
            fold = family.find_fold(member)
            if fold is not None:
                lines.append(wire.write_canonical([o.standing for o in fold.find_standings(END)]))
                lines.append(
                    wire.write_canonical(sorted(fold.list_queries(), key=lambda q: q.facts))
                )
    return lines


def journaled(messages):
    """A journal of each subject: the messages in order of receipt, five minutes apart."""
    seqs, found = dict.fromkeys(PEOPLE, 0), []
    for number, (subject, together) in enumerate(messages):
        for one in together:
            seqs[subject] += 1
            at = hours(-2000) + timedelta(minutes=5 * number)
            found.append(JournalEntry(seqs[subject], at, f"m{number}", one))
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_any_parcels_and_repeats_give_the_same_records(seed):
    facts, chance = trial(seed), Random(seed)
    plain = said(folded(facts, [(one.subject, [one]) for one in facts]))
    for _ in range(12):
        assert said(folded(facts, shuffle_messages(facts, chance))) == plain


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_folded_step_by_step_is_what_is_folded_from_nothing(seed):
    facts, chance = trial(seed), Random(seed)
    messages = shuffle_messages(facts, chance)
    asked = sorted(chance.sample(range(len(messages)), 6))
    found = folded(facts, [])
    for number, (subject, together) in enumerate(messages):
        next(family for family in found if subject in family.members).receive(subject, together)
        for family in found:
            for member in family.members:
                family.list_records(member)  # asked after every message, so that nothing is put off
        if number in asked:
            assert said(found) == said(folded(facts, messages[: number + 1]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_current_records_and_standings_do_not_depend_on_the_journal(seed):
    facts, chance = trial(seed), Random(seed)
    ends = set()
    for _ in range(4):
        journal = journaled(shuffle_messages(facts, chance))
        found = [recount(RULES, group, journal_of(journal, group), END) for group in groups(facts)]
        now = [e.content for one in found for e in one.latest if not e.retracted]
        stands = [standing for one in found for standing in one.standings]
        ends.add(tuple(sorted(map(wire.write_canonical, [*now, *stands]))))
    assert len(ends) == 1


def journal_of(journal, group):
    return [known for known in journal if known.fact.subject in group]


def history(found):
    return wire.write_canonical([found.versions, found.stood])


@pytest.mark.parametrize("seed", SEEDS)
def test_one_journal_replayed_is_one_history_byte_for_byte(seed):
    facts, chance = trial(seed), Random(seed)
    journal = journaled(shuffle_messages(facts, chance))
    for group in groups(facts):
        mine = journal_of(journal, group)
        once = recount(RULES, group, mine, END)
        assert history(once) == history(recount(RULES, group, mine[::-1], END))
        ids = {(one.id, one.version) for one in once.versions}
        assert len(ids) == len(once.versions)
        assert stepped(group, mine, chance) == history(once)


def stepped(group, journal, chance):
    """The history when the process is restarted now and then, and carries on from what it wrote."""
    versions, stood, past = [], [], []
    messages = group_by_message(journal)
    chronicle = RecordHistory(LinkedParticipants(group, RULES), RULES)
    for message in messages:
        if chance.random() < 0.1:
            chronicle = resumed(group, past, versions, stood)
        chronicle.receive(message)
        past.append(message)
        taken = chronicle.take_changes()
        versions += taken[0]
        stood += taken[1]
    chronicle.pass_time(END)
    stood += chronicle.take_changes()[1]
    return wire.write_canonical([versions, stood])


def resumed(group, past, versions, stood):
    chronicle = RecordHistory(LinkedParticipants(group, RULES), RULES)
    latest = {one.id: one for one in versions}
    standings = {(s.standing.participant, s.standing.rule): s.standing for s in stood}
    chronicle.resume(past, latest.values(), standings.values())
    return chronicle


@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_makes_one_version_of_a_record_at_most(seed):
    facts = trial(seed)
    journal = journaled(shuffle_messages(facts, Random(seed)))
    for group in groups(facts):
        versions = recount(RULES, group, journal_of(journal, group), END).versions
        assert len({(one.id, one.recorded_at) for one in versions}) == len(versions)


@pytest.mark.parametrize("seed", FEW)
def test_a_file_of_facts_is_assessed_alike_in_any_order(seed):
    facts, chance = trial(seed), Random(seed)
    plain = assess(RULES, facts)
    shuffled = [*facts, *chance.sample(facts, 20)]
    chance.shuffle(shuffled)
    assert wire.write_canonical(assess(RULES, shuffled)) == wire.write_canonical(plain)


def moved_a_record(facts):
    """Whether a move makes another's record of something."""
    without = [one for one in facts if not isinstance(one.body, Move)]
    return len(without) < len(facts) and said(folded(facts, [("P-001", facts)])) != said(
        folded(facts, [("P-001", without)])
    )


def test_the_trials_contain_what_they_are_meant_to_test():
    found = [assess(RULES, trial(seed)) for seed in range(10)]
    records = [one.content for assessed in found for one in assessed.episodes]
    seen = {
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
        "queries": any(assessed.queries for assessed in found),
        "events": any(s.event for assessed in found for s in assessed.standings),
        "merged": any(len(groups(trial(seed))) == 1 for seed in ALL),
        "moved": sum(moved_a_record(trial(seed)) for seed in ALL) >= MOVED,
        "not merged": any(len(groups(trial(seed))) == 2 for seed in ALL),
    }
    assert [what for what, found in seen.items() if not found] == []
