"""The cause of a version, other than a result that came or was corrected."""

from dataclasses import replace

import pytest
from msgspec import structs

from services.safety_rules.domain.episodes.version_cause import BASELINE, add_reason, find_reason
from services.safety_rules.domain.facts.anchors import Anchors
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.identity_change import Merge, Move
from services.vocabulary.judgement import Assessment, Finding
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.store import CONTENT, EPISODE

TREATED_ANCHORS = Anchors(courses=(hours(0),))
MERGE, MOVE = Merge("P-002", "P-001"), Move("P-002", "P-001")
VISIT_MOVE = structs.replace(MOVE, visit="V1")
FINDING = fact(Finding("ctcae-5.0.anemia", "Dr A"), 5)
ASSESSMENT = fact(Assessment("ctcae-5.0.anemia", 3, "Dr A"), 5)
EARLY_RESULT, RESULT = lab("alt", "30", -5), lab("alt", "30", 0)
EARLY_DOSE = fact(Administration("dexamethasone", Action.DOSE), -5)


def take_back(body):
    return structs.replace(body, undone=True)


FACTS = {  # facts of one message about a treated participant; the reason
    "a merge": ([fact(MERGE)], "participants merged"),
    "a merge taken back": (
        [fact(take_back(MERGE))],
        "participants separated",
    ),
    "a visit": ([fact(VISIT_MOVE)], "visit moved"),
    "a visit that is moved back": (
        [fact(take_back(VISIT_MOVE))],
        "visit moved back",
    ),
    "an identifier": ([fact(MOVE)], "identifier moved"),
    "an identifier that is moved back": (
        [fact(take_back(MOVE))],
        "identifier moved back",
    ),
    "a finding": ([FINDING], "seen by a clinician"),
    "a finding before a result": ([FINDING, RESULT], "seen by a clinician"),
    "the last of two": ([fact(MERGE), FINDING], "seen by a clinician"),
    "a result before the first dose": ([EARLY_RESULT], BASELINE),
    "two results before the first dose": ([EARLY_RESULT, lab("alt", "31", -4)], BASELINE),
    "a result at the first dose": ([RESULT], ""),
    "results before and at the first dose": ([EARLY_RESULT, RESULT], ""),
    "a dose before the first dose of the study drug": ([EARLY_DOSE], ""),
    "a result and a dose before it": ([EARLY_RESULT, EARLY_DOSE], ""),
    "nothing": ([], ""),
}


@pytest.mark.parametrize(("facts", "reason"), FACTS.values(), ids=FACTS)
def test_a_message_changes_records_for_a_reason(facts, reason):
    assert find_reason(iter(facts), TREATED_ANCHORS, TREATED_ANCHORS) == reason
    untreated_reason = "" if reason == BASELINE else reason
    assert find_reason(facts, Anchors(), Anchors()) == untreated_reason


ANCHORS = {  # what the anchors became; the reason
    "first dose": {"courses": (hours(-1),)},
    "date of transplant": {"graft_at": hours(1)},
    "second transplant": {"second_graft_at": hours(1)},
    "site": {"timezone": "Europe/Berlin"},
    "death": {"died_at": hours(1), "death_cause": "relapse"},
    "cause of death": {"death_cause": "relapse"},
    "": {"courses": (hours(0), hours(900)), "relapsed_at": hours(1), "withdrawn_at": hours(1)},
}


@pytest.mark.parametrize(("reason", "changes"), ANCHORS.items())
def test_an_anchor_that_changed_is_the_reason(reason, changes):
    new_anchors = replace(TREATED_ANCHORS, **changes)
    assert find_reason([RESULT], TREATED_ANCHORS, new_anchors) == reason
    assert find_reason([FINDING], TREATED_ANCHORS, new_anchors) == "seen by a clinician"
    assert (
        find_reason([RESULT], None, new_anchors)
        == find_reason([RESULT], TREATED_ANCHORS, None)
        == ""
    )


EARLY_VERSION = replace(EPISODE, content=replace(CONTENT, before_exposure=True))
VERSIONS = {  # a version, the reason, facts of the message; its cause
    "without a reason": (replace(EPISODE, cause="changed"), "", [RESULT], "changed"),
    "of a change": (replace(EPISODE, cause="changed"), "death", [RESULT], "changed (death)"),
    "of a baseline": (replace(EPISODE, cause="changed"), BASELINE, [RESULT], "changed (baseline)"),
    "of its own result before the first dose": (
        replace(EARLY_VERSION, cause="changed"),
        BASELINE,
        [EARLY_RESULT],
        "changed",
    ),
    "before the first dose, for another reason": (
        replace(EARLY_VERSION, cause="changed"),
        "site",
        [EARLY_RESULT],
        "changed (site)",
    ),
    "new, by a result": (EPISODE, "death", [EARLY_DOSE, RESULT], "new"),
    "new, by an assessment": (EPISODE, "death", [ASSESSMENT], "new"),
    "new, by the reason alone": (EPISODE, "death", [EARLY_DOSE], "new (death)"),
    "new, without facts": (EPISODE, "other rules", None, "new (other rules)"),
}


@pytest.mark.parametrize(("version", "reason", "facts", "cause"), VERSIONS.values(), ids=VERSIONS)
def test_a_reason_is_added_where_it_applies(version, reason, facts, cause):
    assert add_reason(version, reason, facts) == replace(version, cause=cause)
