"""Outputs of the rules for the golden set change with the edition alone, as the changelog says."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from services.safety_rules.domain.ctcae.rule_book import TERM_OF_SCALE
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS
from services.safety_rules.domain.stopping.families import FAMILIES
from services.safety_rules.domain.stopping.policies import (
    PERSON_TIME,
    PERSON_TIME_METHODS,
    POLICIES,
)
from services.safety_rules.edition import EDITION
from services.vocabulary.decision import Signal
from services.vocabulary.fact import Body, Status
from services.vocabulary.judgement import Verdict
from services.vocabulary.protocol import Curve, Rule
from services.vocabulary.recommendation import AdviceKind
from tests.helpers import golden_set
from tests.helpers.lab_reading import TABLES

ROOT = Path(__file__).parent.parent.parent
REMEDY = (
    "if that is meant, raise EDITION in services/safety_rules/edition.py, say what is graded"
    " otherwise in a paragraph `Edition N` under Rule changes in CHANGELOG.md, and run"
    " `make golden`"
)
# what no trial touches, and why
UNTOUCHED_CRITERIA = {
    "ctcae-5.0.hypertension": "no record is made of it: only `aegis grade` grades it",
}


@pytest.fixture(scope="module", params=golden_set.TRIALS)
def trial(request):
    """A trial's name, rules, facts and outputs."""
    rules, facts = golden_set.load_trial(request.param)
    return request.param, rules, facts, golden_set.outputs(rules, facts)


def test_the_same_facts_come_out_as_they_did(trial):
    name, _, _, texts = trial
    stored_texts = golden_set.stored_outputs(name)
    assert stored_texts.keys() == texts.keys(), "run `make golden`"
    for file, text in texts.items():
        stored_lines, lines = stored_texts[file].splitlines(), text.splitlines()
        removed_lines, added_lines = (
            sorted({*stored_lines} - {*lines}),
            sorted({*lines} - {*stored_lines}),
        )
        sample = "\n".join([f"- {line[:300]}" for line in removed_lines[:5]])
        sample += "\n".join(["", *(f"+ {line[:300]}" for line in added_lines[:5])])
        assert text == stored_texts[file], (
            f"{name}/{file}: {len(removed_lines)} lines are gone and {len(added_lines)} are new:"
            f"\n{sample}\n{REMEDY}"
        )


def test_the_edition_that_made_the_files_is_that_of_the_code():
    editions = {edition for edition, *_ in golden_set.read_lock()}
    assert max(editions) == EDITION, f"made by edition {max(editions)}: run `make golden`"


@pytest.mark.parametrize("name", golden_set.TRIALS)
def test_the_files_are_those_of_the_lock(name):
    output = golden_set.output_digest(golden_set.stored_outputs(name))
    entry = (EDITION, name, golden_set.input_digest(name), output)
    assert entry in golden_set.read_lock(), f"{name} was edited, or `make golden` not run; {REMEDY}"


def test_an_edition_makes_one_thing_of_the_same_inputs():
    lock = golden_set.read_lock()
    assert len({line[:3] for line in lock}) == len(lock)
    assert [line[0] for line in lock] == sorted(line[0] for line in lock)


def test_a_line_of_the_lock_of_an_earlier_edition_is_never_changed_or_removed():
    """While an edition is the last one its lines may change; the next one settles them."""
    path = golden_set.LOCK.relative_to(ROOT).as_posix()
    log = _git("log", "--reverse", "--format=%h", "--", path)
    if log.returncode:
        pytest.skip("no repository with a history")
    texts = [_git("show", f"{commit}:{path}").stdout for commit in log.stdout.split()]
    for text, next_text in pairwise([*texts, golden_set.LOCK.read_text()]):
        lines, next_lines = _entries(text), _entries(next_text)
        settled_lines = {line for line in lines if line[0] < max(next_lines)[0]}
        assert settled_lines <= next_lines, f"gone from {path}: {settled_lines - next_lines}"


def _git(*arguments):
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _entries(lock_text):
    lines = [line.split() for line in lock_text.splitlines() if not line.startswith("#")]
    return {(int(edition), *more) for edition, *more in lines}


def test_another_output_of_the_same_inputs_is_refused_and_says_what_to_do():
    lock = [(1, "doses", "in", "out")]
    assert not list(golden_set.lock_faults(lock, [(1, "doses", "in", "out")]))
    assert not list(golden_set.lock_faults(lock, [(1, "doses", "other facts", "else")]))
    assert not list(golden_set.lock_faults(lock, [(2, "doses", "in", "else")]))
    (fault,) = golden_set.lock_faults(lock, [(1, "doses", "in", "else")])
    assert "raise EDITION" in fault
    assert "Edition 2" in fault
    assert "make golden" in fault


def test_the_changelog_says_what_this_edition_changed():
    parts = re.split(r"^#+ ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    changes = "".join(part for part in parts if part.startswith("Rule changes"))
    assert re.search(rf"^Edition {EDITION}\b", changes, re.MULTILINE), (
        f"CHANGELOG.md, Rule changes: a paragraph that begins with `Edition {EDITION}` is missing"
    )


def find_in_outputs(file, pattern):
    """Return all matches of *pattern* in the output *file* of every trial."""
    matches = set()
    for name in golden_set.TRIALS:
        matches |= set(re.findall(pattern, golden_set.stored_outputs(name).get(file, "")))
    return matches


def load_facts_and_protocols():
    trials = [golden_set.load_trial(name) for name in golden_set.TRIALS]
    return [fact for _, facts in trials for fact in facts], [rules.protocol for rules, _ in trials]


def test_every_criterion_and_scale_makes_a_record():
    criteria = {name for table in TABLES.values() for name in table.compiled.by_id}
    recorded = find_in_outputs("records.ndjson", r'"criterion":"([^"]+)"')
    assert {*criteria, *TERM_OF_SCALE} - recorded == UNTOUCHED_CRITERIA.keys()


def test_every_stopping_method_policy_curve_and_signal_is_there():
    _, protocols = load_facts_and_protocols()
    rules = [rule for protocol in protocols for rule in protocol.rules]
    assert {rule.stop_when.method for rule in rules} >= {
        *FAMILIES, "table", *PERSON_TIME_METHODS,
    }  # fmt: skip
    assert {rule.policy for rule in rules} == {*POLICIES, PERSON_TIME}
    assert {rule.curve.shape for rule in rules} == set(get_args(Curve.__annotations__["shape"]))
    for name in ("status", "if_a_grade_is_incomplete", "out_of", "event_date"):
        values = {getattr(rule, name) for rule in rules}
        assert values == set(get_args(Rule.__annotations__[name])), name
    assert find_in_outputs("decisions.txt", "|".join(Signal)) == set(Signal)


def test_every_kind_of_fact_status_and_verdict_is_there():
    facts, _ = load_facts_and_protocols()
    assert {type(fact.body) for fact in facts} == set(get_args(Body))
    assert {fact.status for fact in facts} == set(Status)
    assert {getattr(fact.body, "verdict", Verdict.REJECT) for fact in facts} == set(Verdict)


def test_every_kind_of_advice_is_given():
    assert find_in_outputs("advice.txt", r" [+] (\w+) ") == {kind.value for kind in AdviceKind}
    _, protocols = load_facts_and_protocols()
    dose_rules = {
        name for protocol in protocols if protocol.dosing for name in protocol.dosing.rules
    }
    assert dose_rules <= find_in_outputs("advice.txt", r" [+] dose (\w+) ")


@pytest.mark.parametrize(
    "cause",
    ["new", "changed", "returned", "retracted", "merged", "first dose", "participants merged",
     "identifier moved", "visit moved", "seen by a clinician", "death"],
)  # fmt: skip
def test_every_cause_of_a_version_is_there(cause):
    assert find_in_outputs("versions.txt", f" {cause}|[(]{cause}[)]")


def test_every_endpoint_is_estimated():
    assert find_in_outputs("endpoints.ndjson", r'"id":"([^"]+)"') == {one.id for one in ENDPOINTS}
