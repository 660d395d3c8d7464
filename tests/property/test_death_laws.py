"""Laws of deaths and their adjudications: the order of facts changes nothing."""

from random import Random

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Death, Observation
from services.vocabulary.grade import Grade
from services.vocabulary.judgement import Adjudication, Verdict
from tests.helpers.fact_notes import fact, hours, status
from tests.helpers.random_trials import CRITERIA, RULES, trial

CAUSES = (*CRITERIA, "astct-2019.icans", "ctcae-5.0.sepsis")
WORDS_BY_SIGN = {"arousal": ("voice", "spontaneous"), "seizure": ("brief", "none")}


def make_facts(seed):
    """One participant's facts with two reports of death, decisions about it, and signs of ICANS."""
    chance = Random(seed)
    kinds_left_out = ("death", "merge", "move")
    facts = [f for f in trial(seed) if f.subject == "P-001" and f.body.kind not in kinds_left_out]
    facts += [_make_death(chance, number) for number in range(2)]
    for number in range(4):
        verdict = chance.choice((Verdict.REGRADE, Verdict.REGRADE, Verdict.REJECT, Verdict.CONFIRM))
        grade = chance.choice((5, 5, 3)) if verdict is Verdict.REGRADE else None
        signed_at = hours(700 + chance.randrange(50))
        body = Adjudication(chance.choice(CAUSES), verdict, "Dr A", "seen", signed_at, grade)
        facts.append(fact(body, chance.randrange(600), name=f"decision-{number}"))
    for number in range(8):
        measure = chance.choice(list(WORDS_BY_SIGN))
        word = chance.choice(WORDS_BY_SIGN[measure])
        hour = chance.randrange(0, 500, 4)
        facts.append(fact(Observation(measure, text=word), hour, name=f"sign-{number}"))
    return facts


def _make_death(chance, number):
    return fact(
        Death(chance.choice(("", "infection", *CAUSES))),
        300 + chance.randrange(200),
        name=f"death-{number}",
        series=chance.choice(("death", f"death-{number}")),
        status=status(chance.choice("FFCD")),
        reported_hour=600 + number * chance.choice((0, 1)),
    )


def fold_in_order(facts, step):
    """The records, queries and standings of *facts*; looked at after each *step* facts."""
    fold = Fold("P-001", RULES)
    for number, each_fact in enumerate(facts):
        fold.apply([each_fact])
        if number % step == 0:
            fold.list_records()
            fold.list_queries()
    queries = sorted(query.problem for query in fold.list_queries())
    return fold.list_records(), queries, fold.find_standings(hours(2000))


@pytest.mark.parametrize("seed", range(20))
def test_the_order_in_which_a_death_and_its_adjudications_come_changes_nothing(seed):
    facts = make_facts(seed)
    expected = fold_in_order(facts, len(facts))
    for step in (1, 5):
        shuffled_facts = Random(seed + step).sample(facts, len(facts))
        assert fold_in_order(shuffled_facts, step) == expected


@pytest.mark.parametrize("seed", range(20))
def test_a_history_is_in_order_and_nothing_follows_a_death(seed):
    records, *_ = fold_in_order(make_facts(seed), 1000)
    for record in records:
        instants = [change.at for change in record.history]
        assert instants == sorted(instants)
        assert instants[0] == record.onset_at
        grades = [change.span.at_least for change in record.history]
        assert Grade.DEATH not in grades[:-1]
        assert Grade.DEATH not in grades or record.resolved_at is None
