"""What the rules make of fixed trials changes with the edition alone, and the changelog says so."""

import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from services.safety_rules.domain.ctcae.rule_book import TERM_OF_SCALE
from services.safety_rules.domain.endpoints.definitions import ENDPOINTS
from services.safety_rules.domain.stopping.families import FAMILIES
from services.safety_rules.domain.stopping.pending import POLICIES
from services.safety_rules.edition import EDITION
from services.vocabulary.decision import Signal
from services.vocabulary.fact import Body, Status, Verdict
from services.vocabulary.protocol import Curve, Rule
from services.vocabulary.recommendation import AdviceKind
from tests.helpers import golden_set
from tests.helpers.lab_reading import TABLES

ROOT = Path(__file__).parent.parent.parent
MEANT = (
    "if that is meant, raise EDITION in services/safety_rules/edition.py, say what is graded"
    " otherwise in a paragraph `Edition N` under Rule changes in CHANGELOG.md, and run"
    " `make golden`"
)
# what no trial touches, and why
UNTOUCHED_CRITERIA = {
    "ctcae-5.0.hypertension": "no record is made of it: only `aegis grade` grades it",
    "ctcae-6.0.hypertension": "the same",
}


@pytest.fixture(scope="module", params=golden_set.TRIALS)
def trial(request):
    """A trial's name, rules, facts and outputs."""
    rules, facts = golden_set.load_trial(request.param)
    return request.param, rules, facts, golden_set.outputs(rules, facts)


def test_the_same_facts_come_out_as_they_did(trial):
    name, _, _, texts = trial
    stored = golden_set.stored_outputs(name)
    assert stored.keys() == texts.keys(), "run `make golden`"
    for file, text in texts.items():
        was, now = stored[file].splitlines(), text.splitlines()
        gone, new = sorted({*was} - {*now}), sorted({*now} - {*was})
        shown = "\n".join([f"- {line[:300]}" for line in gone[:5]])
        shown += "\n".join(["", *(f"+ {line[:300]}" for line in new[:5])])
        assert text == stored[file], (
            f"{name}/{file}: {len(gone)} lines are gone and {len(new)} are new:\n{shown}\n{MEANT}"
        )


def test_the_edition_that_made_the_files_is_that_of_the_code():
    editions = {edition for edition, *_ in golden_set.read_lock()}
    assert max(editions) == EDITION, f"made by edition {max(editions)}: run `make golden`"


@pytest.mark.parametrize("name", golden_set.TRIALS)
def test_the_files_are_those_of_the_lock(name):
    output = golden_set.output_digest(golden_set.stored_outputs(name))
    entry = (EDITION, name, golden_set.input_digest(name), output)
    assert entry in golden_set.read_lock(), f"{name} was edited, or `make golden` not run; {MEANT}"


def test_an_edition_makes_one_thing_of_the_same_inputs():
    lock = golden_set.read_lock()
    assert len({line[:3] for line in lock}) == len(lock)
    assert [line[0] for line in lock] == sorted(line[0] for line in lock)


def test_a_line_of_the_lock_is_never_changed_or_removed():
    command = ["git", "log", "--format=", "-p", "--", str(golden_set.LOCK)]
    past = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if past.returncode:
        pytest.skip("no repository with a history")
    committed = {line[1:] for line in past.stdout.splitlines() if re.match(r"\+\d", line)}
    now = set(golden_set.LOCK.read_text().splitlines())
    assert committed <= now, f"lines of {golden_set.LOCK} are gone: {committed - now}"


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


def touched(file, pattern):
    """All that *pattern* finds in the output *file* of every trial."""
    found = set()
    for name in golden_set.TRIALS:
        found |= set(re.findall(pattern, golden_set.stored_outputs(name).get(file, "")))
    return found


def facts_and_protocols():
    loaded = [golden_set.load_trial(name) for name in golden_set.TRIALS]
    return [fact for _, facts in loaded for fact in facts], [rules.protocol for rules, _ in loaded]


def test_every_criterion_and_scale_makes_a_record():
    graded = {name for table in TABLES.values() for name in table.compiled.by_id}
    recorded = touched("records.ndjson", r'"criterion":"([^"]+)"')
    assert {*graded, *TERM_OF_SCALE} - recorded == UNTOUCHED_CRITERIA.keys()


def test_every_stopping_method_policy_curve_and_signal_is_there():
    _, protocols = facts_and_protocols()
    rules = [rule for protocol in protocols for rule in protocol.rules]
    assert {rule.stop_when.method for rule in rules} >= {*FAMILIES, "table"}
    assert {rule.policy for rule in rules} == set(POLICIES)
    assert {rule.curve.shape for rule in rules} == set(get_args(Curve.__annotations__["shape"]))
    for name in ("status", "if_a_grade_is_incomplete", "out_of", "event_date"):
        said = {getattr(rule, name) for rule in rules}
        assert said == set(get_args(Rule.__annotations__[name])), name
    assert touched("decisions.txt", "|".join(Signal)) == set(Signal)


def test_every_kind_of_fact_status_and_verdict_is_there():
    facts, _ = facts_and_protocols()
    assert {type(fact.body) for fact in facts} == set(get_args(Body))
    assert {fact.status for fact in facts} == set(Status)
    assert {getattr(fact.body, "verdict", Verdict.REJECT) for fact in facts} == set(Verdict)


def test_every_kind_of_advice_is_given():
    assert touched("advice.txt", r" [+] (\w+) ") == {kind.value for kind in AdviceKind}
    _, protocols = facts_and_protocols()
    known = {name for protocol in protocols if protocol.dosing for name in protocol.dosing.rules}
    assert known <= touched("advice.txt", r" [+] dose (\w+) ")


@pytest.mark.parametrize(
    "cause",
    ["new", "changed", "returned", "retracted", "merged", "first dose", "participants merged",
     "identifier moved", "visit moved", "seen by a clinician", "death"],
)  # fmt: skip
def test_every_cause_of_a_version_is_there(cause):
    assert touched("versions.txt", f" {cause}|[(]{cause}[)]")


def test_every_endpoint_is_estimated():
    assert touched("endpoints.ndjson", r'"id":"([^"]+)"') == {one.id for one in ENDPOINTS}
