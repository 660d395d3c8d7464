"""A clinician's finding narrows the grade of a result, in whatever order the facts arrive.

Source: CTCAE v6.0, "Serum amylase increased"; CTCAE v5.0, "Hypokalemia", "Lipase increased",
"Cardiac troponin T increased"; docs/decisions/grading.md, "Findings beside a reading"
"""

from itertools import permutations

import pytest

from services.safety_rules.domain.participant.fold import Fold
from services.safety_rules.domain.participant.linked_participants import LinkedParticipants
from services.safety_rules.domain.participant.received_message import ReceivedMessage
from services.safety_rules.domain.participant.record_history import RecordHistory
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.grade import Symptoms
from services.vocabulary.judgement import Finding
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.random_trials import RULES, RULES_6

# version and term, the reading at hour 48, its unit, limits, the value before exposure
READINGS = {
    "potassium": ("5", "hypokalemia", "3.2 4.0 mmol/L 3.5 5.0"),
    "lipase": ("5", "lipase-increased", "240 30 U/L - 60"),
    "amylase": ("6", "serum-amylase-increased", "300 50 U/L - 100"),
    "troponin-t": ("5", "cardiac-troponin-t-increased", "90 5 ng/L - 14"),
}
# what was seen, at which hour; the grade, and what its reason ends with
TABLE = """
potassium  |                                 | 1-2 |
potassium  | none 48                         | 1   | no symptoms, seen by lee
potassium  | present 48                      | 2   | symptoms, seen by lee
potassium  | none 36                         | 1   | no symptoms, seen by lee
potassium  | none 60                         | 1   | no symptoms, seen by lee
potassium  | none 35                         | 1-2 |
potassium  | none 61                         | 1-2 |
potassium  | none 40; mild 50                | 2   | mild symptoms, seen by lee
potassium  | none 46; mild 50                | 1   | no symptoms, seen by lee
potassium  | none 50; mild 50                | 2   | mild symptoms, seen by lee
lipase     |                                 | 2-3 |
lipase     | mild 48                         | 3   | mild symptoms, seen by lee
lipase     | none 48                         | 2   | no symptoms, seen by lee
amylase    |                                 | 2-3 |
amylase    | none 48                         | 2   | no symptoms, seen by lee
amylase    | mild 48                         | 2   | mild symptoms, seen by lee
amylase    | moderate 48                     | 3   | moderate symptoms, seen by lee
amylase    | severe 48                       | 3   | severe symptoms, seen by lee
amylase    | present 48                      | 2-3 | symptoms, seen by lee
troponin-t |                                 | 1-3 |
troponin-t | yes 48                          | 3   | at the level of infarction, seen by lee
troponin-t | no 48                           | 1   | below the level of infarction, seen by lee
troponin-t | yes 48; no 48                   | 3   | at the level of infarction, seen by lee
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


def make_finding(measure, text, **fields):
    """``mild 50``: a finding of hour 50; ``yes`` and ``no`` are of infarction."""
    version, slug, _ = READINGS[measure]
    word, hour = text.split()
    infarction = {"yes": True, "no": False}.get(word)
    symptoms = Symptoms(word) if infarction is None else None
    body = Finding(f"ctcae-{version}.0.{slug}", "lee", symptoms, infarction)
    return fact(body, int(hour), **fields)


def make_reading(measure, hour=48, **fields):
    value, _, unit, lln, uln = READINGS[measure][2].split()
    return lab(measure, value, hour, unit, lln=None if lln == "-" else lln, uln=uln, **fields)


def list_facts(measure):
    _, value, unit, lln, uln = READINGS[measure][2].split()
    return [
        fact(Administration("blinatumomab", Action.START), 0),
        lab(measure, value, -48, unit, lln=None if lln == "-" else lln, uln=uln),
        make_reading(measure),
    ]


def fold_record(measure, facts):
    """The only record after exposure."""
    fold = Fold("P-001", RULES if READINGS[measure][0] == "5" else RULES_6)
    for fact_of_order in facts:
        fold.apply([fact_of_order])
        fold.list_records()
    (episode,) = [
        fact_of_order for fact_of_order in fold.list_records() if not fact_of_order.before_exposure
    ]
    return episode


@pytest.mark.parametrize(("measure", "findings", "grade", "why"), ROWS, ids=[f"{r}" for r in ROWS])
def test_what_was_seen_tells_the_grades_apart(measure, findings, grade, why):
    finding_facts = [make_finding(measure, one) for one in findings.split(";") if one]
    for order in permutations([*list_facts(measure), *finding_facts]):
        episode = fold_record(measure, order)
        assert str(episode.worst) == grade
        assert episode.history[-1].because.endswith(why)


def test_a_severity_that_nobody_said_is_named():
    episode = fold_record(
        "amylase", [*list_facts("amylase"), make_finding("amylase", "present 48")]
    )
    assert episode.history[-1].missing == ("severity of symptoms",)
    assert fold_record("amylase", list_facts("amylase")).history[-1].missing == ("symptoms",)


def test_a_finding_that_is_taken_back_leaves_the_interval():
    facts = [
        *list_facts("potassium"),
        make_finding("potassium", "none 48", series="seen"),
        make_finding(
            "potassium", "none 48", series="seen", status="D", reported_hour=60, name="taken back"
        ),
    ]
    for order in permutations(facts):
        assert str(fold_record("potassium", order).worst) == "1-2"


def test_a_finding_is_no_reading_and_confirms_nothing():
    fold = Fold("P-001", RULES)
    fold.apply([*list_facts("potassium")[:2], make_finding("potassium", "severe 48")])
    assert fold.list_records() == ()


def test_what_was_seen_about_the_baseline_is_in_its_grade():
    low = [
        fact(Administration("blinatumomab", Action.START), 0),
        make_reading("potassium", -8),
        lab("potassium", "2.9", 48, "mmol/L", lln="3.5", uln="5.0"),
    ]
    episode = fold_record("potassium", [*low, make_finding("potassium", "moderate -10")])
    assert episode.baseline_grade == 2


def test_a_finding_of_a_term_that_no_number_grades_is_kept_and_says_nothing():
    nausea = fact(Finding("ctcae-5.0.nausea", "lee", Symptoms.SEVERE), 48)
    assert str(fold_record("potassium", [*list_facts("potassium"), nausea]).worst) == "1-2"


def test_the_new_version_says_that_somebody_looked():
    history = RecordHistory(LinkedParticipants(["P-001"], RULES), RULES)
    for number, message_fact in enumerate(
        [*list_facts("potassium"), make_finding("potassium", "none 48")]
    ):
        history.receive(ReceivedMessage(hours(100 + number), "P-001", number, (message_fact,)))
    versions = history.take_changes()[0]
    assert [message_fact.cause for message_fact in versions] == [
        "new",
        "changed (seen by a clinician)",
    ]
