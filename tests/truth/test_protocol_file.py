"""The trial's protocol file: its signed tables, and everything that gets a file refused."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from shutil import copytree

import pytest

from services.cli.main import main
from services.ingest.adapters.code_tables import load_code_tables
from services.runtime.file_error import UntrustedFileError
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.stopping.steps import (
    compress_boundary,
    expand_steps,
    format_steps,
)
from services.safety_rules.domain.syndromes.bedside import NOT_AFFECTED
from services.safety_rules.domain.syndromes.hypoxia import grade_hypoxia
from services.vocabulary.clinical_fact import Observation
from services.vocabulary.grade import Input
from services.vocabulary.operations import ClockKind
from tests.helpers.fact_notes import fact

STUDY = Path("studies/blina-hsct")


@pytest.fixture(scope="module")
def trial():
    return load_rules(STUDY)


@pytest.fixture
def study(tmp_path):
    """A copy of the study's folder, to be spoiled."""
    return copytree(STUDY, tmp_path / "study")


def spoil_file(study, text_to_replace, replacement, file="protocol.yaml"):
    """Replace the first *text_to_replace* in the file."""
    text = (study / file).read_text()
    assert text_to_replace in text
    (study / file).write_text(text.replace(text_to_replace, replacement, 1))
    return study


def load_refused(study):
    with pytest.raises(UntrustedFileError) as refusal:
        load_rules(study)
    return str(refusal.value).replace(f"{study}/", "")


# The numbers that a statistician gave: table, type I error, P(stop) at other rates
SIGNED_TABLES = {
    "BLINA-HSCT.S1": ("2@2-4 3@5-11 4@12-21 5@22-32 6@33-40", 0.05, 0.04803),
    "BLINA-HSCT.S2": (
        "2@2 3@3-5 4@6-10 5@11-15 6@16-21 7@22-27 8@28-33 9@34-40",
        0.10,
        0.04956,
    ),
    "BLINA-HSCT.S3": (
        (
            "4@4 5@5-6 6@7-8 7@9-10 8@11-12 9@13-14 10@15-17 11@18-19 12@20-21 13@22-24 "
            "14@25-26 15@27-29 16@30-31 17@32-34 18@35-37 19@38-39 20@40"
        ),
        0.30,
        0.04921,
    ),
    "BLINA-HSCT.S4": ("2@2-4 3@5-11 4@12-21 5@22-32 6@33-40", 0.05, 0.04803),
}


@pytest.mark.parametrize("name", SIGNED_TABLES)
def test_the_trials_tables_are_those_that_were_designed(trial, name):
    table, p0, attained_alpha = SIGNED_TABLES[name]
    rule = next(rule for rule in trial.rules.protocol.rules if rule.id == name)
    design = trial.study.designs[name]
    assert format_steps(rule.stop_when.boundary) == table
    assert format_steps(compress_boundary((1, *design.boundary))) == table
    assert (rule.stop_when.p0, rule.stop_when.alpha, rule.stop_when.n) == (p0, 0.05, 40)
    assert design.attained_alpha == pytest.approx(attained_alpha, abs=1e-5)


RATES = {  # P(stop) that the design gives
    "BLINA-HSCT.S1": {0.15: 0.659, 0.20: 0.882},
    "BLINA-HSCT.S2": {0.25: 0.762, 0.30: 0.916},
    "BLINA-HSCT.S3": {0.50: 0.726},
    "BLINA-HSCT.S4": {0.15: 0.659},
}


@pytest.mark.parametrize("name", RATES)
def test_the_trials_tables_stop_an_unsafe_trial_as_often_as_they_say(trial, name):
    rule = next(rule for rule in trial.rules.protocol.rules if rule.id == name)
    table = expand_steps(rule.stop_when.boundary, 40)
    for rate, probability in RATES[name].items():
        assert _stopping_chance(table, rate) == pytest.approx(probability, abs=5e-4)


def _stopping_chance(table, rate):
    """P(stop), by hand: how likely each number of events is among those not stopped yet."""
    open_chances = {0: 1.0}
    for x in range(1, len(table)):
        chances = {}
        for events, chance in open_chances.items():
            chances[events] = chances.get(events, 0) + chance * (1 - rate)
            chances[events + 1] = chances.get(events + 1, 0) + chance * rate
        open_chances = {events: chance for events, chance in chances.items() if events < table[x]}
    return 1 - sum(open_chances.values())


def test_only_the_four_rules_of_the_protocol_alert_the_dsmb(trial):
    rules = trial.rules.protocol.rules
    assert [rule.id for rule in rules if not rule.watch_only] == list(SIGNED_TABLES)
    assert all("dsmb" not in rule.consequence.tell for rule in rules if rule.watch_only)
    assert all("stop_when.p0" in rule.assumed_numbers for rule in rules)


def test_the_trials_drugs_and_devices_are_those_that_a_feed_can_say(trial):
    tables = load_code_tables()
    bedside = trial.rules.protocol.bedside
    protocol_drugs = (
        *bedside.antipyretics,
        *bedside.steroids,
        *bedside.anticytokines,
        *bedside.vasopressors,
        *bedside.vasopressors_not_counted,
        *bedside.antibiotics,
        trial.rules.protocol.study_drug,
        "fluid-bolus",
        "transfusion",
    )
    assert set(protocol_drugs) <= set(tables.drugs.values())
    for (measure, _), word in tables.words.items():
        if measure == "oxygen-device":
            device = fact(Observation(measure, text=word))
            level = grade_hypoxia({measure: device}, trial.rules.measures)
            assert level == NOT_AFFECTED or level.because or not level.at_most
            assert Input.OXYGEN_DEVICE not in level.missing


def test_a_typed_signature_is_of_this_file_and_no_other_and_signs_nothing(study):
    digest = sha256((study / "protocol.yaml").read_bytes()).hexdigest()
    entry = "{name: A Statistician, role: statistician, date: 2026-01-31, sha256: %s}"
    (study / "signatures.yaml").write_text(f"signatures: [{entry % digest}]")
    draft = "protocol v1 DRAFT, signed by nobody"
    signed_study = load_rules(study)
    typed_text = "A Statistician, statistician, 2026-01-31"
    assert signed_study.study.typed_signatures == (typed_text,)
    assert signed_study.rules.protocol.label == draft
    spoil_file(study, "# Day 0 is", "# Day 0 was")  # not one byte may differ
    assert load_rules(study).study.typed_signatures == ()


def test_a_protocol_with_a_wrong_table(study):
    message = load_refused(
        spoil_file(study, "{events: 3, of: [5, 11]}", "{events: 3, of: [5, 12]}")
    )
    assert "BLINA-HSCT.S1" in message
    assert "starts at 12, not at 13" in message  # a gap or an overlap comes first
    message = load_refused(
        spoil_file(study, "{events: 4, of: [12, 21]}", "{events: 4, of: [13, 21]}")
    )
    assert message.startswith(
        "protocol.yaml line 181, rules.BLINA-HSCT.S1.stop_when.boundary: the file says "
    )
    assert "the file says 2@2-4 3@5-12 4@13-21 5@22-32 6@33-40;" in message
    assert "gives 2@2-4 3@5-11 4@12-21 5@22-32 6@33-40 (type I error 0.0480" in message


def test_the_command_line_refuses_a_wrong_table_with_both_tables(study, capsys):
    spoil_file(study, "{events: 3, of: [5, 11]}", "{events: 3, of: [5, 12]}")
    spoil_file(study, "{events: 4, of: [12, 21]}", "{events: 4, of: [13, 21]}")
    code = main(["protocol", "check", str(study)])
    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert "BLINA-HSCT.S1" in output.err
    assert "2@2-4 3@5-12 4@13-21" in output.err
    assert "2@2-4 3@5-11 4@12-21" in output.err
    assert "Traceback" not in output.err


SPOILT = {  # what stood there, what stands there now; the field, and what to do
    "a key that nobody knows": (
        "    warn_at: 0.20",
        "    warn_when: 0.20",
        ("rules.BLINA-HSCT.S1.warn_when", "did you mean 'warn_at'?"),
    ),
    "a key too many": (
        "    looks: every_participant",
        "    looks: every_participant\n    colour: red",
        ("rules.BLINA-HSCT.S1.colour: there is no such key; it is one of: id, title,",),
    ),
    "a key that is missing": (
        "    warn_at: 0.20\n",
        "",
        ("rules.BLINA-HSCT.S1.warn_at", "is missing: add it"),
    ),
    "a key given twice": (
        "    warn_at: 0.20",
        "    warn_at: 0.20\n    warn_at: 0.30",
        ("warn_at", "is given twice: remove one"),
    ),
    "a method that nobody knows": (
        "method: beta-binomial",
        "method: beta-binominal",
        ("rules.BLINA-HSCT.S1.stop_when", "one of: ", "beta-binomial"),
    ),
    "a boundary with a gap": (
        "of: [12, 21]",
        "of: [13, 21]",
        ("rules.BLINA-HSCT.S1.stop_when.boundary.3.of", "starts at 13, not at 12"),
    ),
    "a boundary that ends early": (
        "of: [33, 40]",
        "of: [33, 39]",
        ("rules.BLINA-HSCT.S1.stop_when.boundary.5.of", "ends at 39, not at n = 40"),
    ),
    "a worked example that disagrees": (
        "{events: 2, of: 5, answer: continue}",
        "{events: 2, of: 5, answer: stop}",
        ("rules.BLINA-HSCT.S1.worked_examples.2", "2 of 5 is 'continue', not 'stop'"),
    ),
    "an example that cannot be": (
        "{events: 2, of: 5, answer: continue}",
        "{events: 2, of: 50, answer: continue}",
        ("rules.BLINA-HSCT.S1.worked_examples.2", "2 of 50 cannot be, with n = 40"),
    ),
    "a rate of one": ("p0: 0.05", "p0: 1", ("S1.stop_when.p0", "less than 1", "not 1")),
    "no rate": ("p0: 0.05", "p0: .nan", ("S1.stop_when.p0: .nan is ambiguous",)),
    "no alpha": ("alpha: 0.05", "alpha: 0", ("S1.stop_when.alpha", "greater than 0", "not 0")),
    "a probability of two": (
        "warn_at: 0.20",
        "warn_at: 2",
        ("rules.BLINA-HSCT.S1.warn_at", "must be less than or equal to 1, not 2"),
    ),
    "an anchor that nobody knows": (
        "to: {anchor: transplant, day: 100}}\n    event_date",
        "to: {anchor: graft, day: 100}}\n    event_date",
        ("rules.BLINA-HSCT.S1.window.to.anchor", "'transplant'", "not 'graft'"),
    ),
    "a scale that nobody knows": (
        "{scale: astct-2019.crs,",
        "{scale: astct-2019.CRS,",
        ("rules.BLINA-HSCT.S1.event.any_of.1.scale", "one of: astct-2019.crs"),
    ),
    "a term that nobody knows": (
        "{scale: astct-2019.crs,",
        "{term: cytokine-release-syndrom,",
        ("S1.event.any_of.1.term", "ctcae-5.0", "did you mean 'cytokine-release-syndrome'?"),
    ),
    "a term set that nobody knows": (
        "{term_set: neurotoxicity,",
        "{term_set: neurotoxcity,",
        ("rules.BLINA-HSCT.S2.event.any_of.2.term_set", "is not in term_sets"),
    ),
    "a term of a set that nobody knows": (
        "- neutrophil-count-decreased",
        "- neutrophils-count-decreased",
        ("term_sets.non-hematologic.without_terms", "mean 'neutrophil-count-decreased'?"),
    ),
    "a class that nobody knows": (
        "[Blood and lymphatic system disorders]",
        "[Blood and lymphatic disorders]",
        ("term_sets.non-hematologic.without_socs", "mean 'Blood and lymphatic system disorders'?"),
    ),
    "a laboratory term that nobody knows": (
        "[hyperglycemia,",
        "[hyperglycaemia,",
        ("laboratory.only_confirmed_after_steroid", "did you mean 'hyperglycemia'?"),
    ),
    "the naive count": (
        "policy: onset_weighted",
        "policy: naive",
        ("rules.BLINA-HSCT.S1.pending.policy", "inflates the type I error", "choose one of"),
    ),
    "a curve that nobody knows": (
        "curve: {exponential: {mean_days: 5}}",
        "curve: soon",
        ("rules.BLINA-HSCT.S1.pending.curve", "must be"),
    ),
    "a curve that never rises": (
        "{mean_days: 5}",
        "{mean_days: 0}",
        ("rules.BLINA-HSCT.S1.pending.curve", "mean_days must be finite and above 0"),
    ),
    "a duration in words": (
        "grade3_after: 72h",
        "grade3_after: three days",
        ("laboratory.grade3_after", "30m, 72h or 14d, not 'three days'"),
    ),
    "another study's rule": (
        "- id: BLINA-HSCT.S1",
        "- id: OTHER.S1",
        ("rules.OTHER.S1.id", "does not start with 'BLINA-HSCT.'"),
    ),
    "two rules with one id": (
        "- id: BLINA-HSCT.S2",
        "- id: BLINA-HSCT.S1",
        ("rules.BLINA-HSCT.S1.id", "is the id of an earlier rule"),
    ),
    "a role that nobody has": (
        "tell: [dsmb, safety_officer]",
        "tell: [dsmb, safety_oficer]",
        ("rules.BLINA-HSCT.S1.then.tell", "nobody in recipients.yaml is 'safety_oficer'"),
    ),
    "an assumption about nothing": (
        "assumed: [stop_when.p0,",
        "assumed: [stop_when.rate,",
        ("rules.BLINA-HSCT.S1.assumed.1", "'stop_when.rate' is not in the file"),
    ),
    "a recommendation that nobody knows": (
        "recommend: pause_enrolment",
        "recommend: stop",
        ("rules.BLINA-HSCT.S1.then.recommend", "'pause_enrolment'", "not 'stop'"),
    ),
    "an infeasible rule": (
        "alpha: 0.05",
        "alpha: 0.000000000001",
        (
            "rules.BLINA-HSCT.S1.stop_when",
            "no boundary that can be reached keeps the type I error",
            "alpha or n must be larger",
        ),
    ),
    "examples on one side alone": (
        "[{events: 3, of: 7, answer: stop}, {events: 3, of: 8, answer: continue}]",
        "[{events: 3, of: 7, answer: stop}, {events: 4, of: 8, answer: stop}]",
        ("rules.BLINA-HSCT.W3.worked_examples", "need one on each side of the boundary"),
    ),
    "an empty boundary": (
        """      boundary:
        - {events: 2, of: [2, 4]}
        - {events: 3, of: [5, 11]}
        - {events: 4, of: [12, 21]}
        - {events: 5, of: [22, 32]}
        - {events: 6, of: [33, 40]}
""",
        "      boundary: []\n",
        ("rules.BLINA-HSCT.S1.stop_when.boundary", "is empty: the rule can never stop"),
    ),
    "two kinds of event in one": (
        "{scale: astct-2019.crs,",
        "{scale: astct-2019.crs, term: fever,",
        ("rules.BLINA-HSCT.S1.event.any_of.1", "exactly one of scale, term, term_set and fact"),
    ),
    "an event without a grade": (
        "{scale: astct-2019.crs, grade_at_least: 3}",
        "{scale: astct-2019.crs}",
        ("rules.BLINA-HSCT.S1.event.any_of.1", "grade_at_least goes with a scale"),
    ),
    "a set of terms outside a window": (
        "{term_set: non-hematologic, grade_at_least: 3}",
        "{term_set: non-hematologic, grade_at_least: 3, counts_outside_inducer_window: true}",
        ("rules.BLINA-HSCT.S3.event.any_of.1", "counts_outside_inducer_window goes with a scale"),
    ),
    "two curves": (
        "{exponential: {mean_days: 5}}",
        "{exponential: {mean_days: 5}, uniform: true}",
        ("rules.BLINA-HSCT.S1.pending.curve", "exactly one of uniform, exponential"),
    ),
    "a parameter of another method": (
        "prior: [0.1, 1.9]",
        "prior: [0.1, 1.9]\n      p1: 0.3",
        ("rules.BLINA-HSCT.S1.stop_when", "p1 is no parameter of beta-binomial"),
    ),
    "a prior of one number": (
        "prior: [0.1, 1.9]",
        "prior: 0.1",
        ("rules.BLINA-HSCT.S1.stop_when", "prior must be 2 number(s), not 1"),
    ),
    "an inducer without its end": (
        "{drug: blinatumomab, after_stop: 72h}",
        "{drug: blinatumomab}",
        ("inducers.1", "after_stop goes with a drug"),
    ),
    "an inducer that is neither": (
        "{drug: blinatumomab, after_stop: 72h}",
        "{donors: [cord]}",
        ("inducers.1", "is either a drug, or the graft on certain days"),
    ),
    "a set in both ways": (
        "  neurotoxicity:\n    only:",
        "  neurotoxicity:\n    without_terms: [tremor]\n    only:",
        ("term_sets.neurotoxicity", "is either only certain terms, or all without some"),
    ),
    "nobody to tell": (
        "tell: [dsmb, safety_officer]",
        "tell: []",
        ("rules.BLINA-HSCT.S1.then.tell", "names nobody"),
    ),
    "a table that is not there": (
        "criteria: ctcae-5.0",
        "criteria: ctcae-4.0",
        ("criteria", "'ctcae-4.0' is no table; it is one of: ctcae-5.0, ctcae-6.0"),
    ),
    "no YAML": ("study: BLINA-HSCT", "study: [", ("protocol.yaml line ", ": is not YAML: ")),
}


@pytest.mark.parametrize(("right", "slip", "says"), SPOILT.values(), ids=SPOILT)
def test_a_slip_is_refused_with_its_place_and_what_to_do(study, right, slip, says):
    message = load_refused(spoil_file(study, right, slip))
    assert message.startswith("protocol.yaml line ")
    assert [part for part in says if part not in message] == []


def test_every_fault_of_the_clocks_is_named_with_its_line(study):
    right = "clocks: {to_sponsor: 24h, fatal_or_life_threatening: 7d, serious: 15d}"
    wrong = "clocks:\n  to_sponsor: 0h\n  fatal_or_life_threatening: a week\n  serius: 15d"
    message = load_refused(spoil_file(study, right, wrong))
    lines = (study / "protocol.yaml").read_text().splitlines()
    first = lines.index("clocks:") + 2
    faults = [line for line in message.splitlines() if "clocks." in line]
    assert [f"protocol.yaml line {first + k}," in line for k, line in enumerate(faults)] == [
        True
    ] * 3
    assert ["is no time to report in" in faults[0], "like 30m, 72h" in faults[1]] == [True, True]


ONE_DAY, WEEK, FORTNIGHT = ClockKind
CLOCKS = {
    "": {ONE_DAY: 24, WEEK: 7 * 24, FORTNIGHT: 15 * 24},
    "clocks: {}": {ONE_DAY: 24, WEEK: 7 * 24, FORTNIGHT: 15 * 24},
    "clocks: {to_sponsor: 1d}": {ONE_DAY: 24, WEEK: 7 * 24, FORTNIGHT: 15 * 24},
    "clocks: {serious: 10d}": {ONE_DAY: 24, WEEK: 7 * 24, FORTNIGHT: 10 * 24},
    "clocks: {to_sponsor: 1m, fatal_or_life_threatening: 5d}": {
        ONE_DAY: 1 / 60, WEEK: 5 * 24, FORTNIGHT: 15 * 24,
    },
}  # fmt: skip


@pytest.mark.parametrize("file_text", CLOCKS)
def test_clocks_run_as_long_as_the_protocol_says_and_change_no_rule(trial, study, file_text):
    right = "clocks: {to_sponsor: 24h, fatal_or_life_threatening: 7d, serious: 15d}"
    rules = load_rules(spoil_file(study, right, file_text)).rules
    hours = {kind: time / timedelta(hours=1) for kind, time in rules.protocol.clock_periods.items()}
    assert hours == pytest.approx(CLOCKS[file_text])
    assert rules.version == trial.rules.version


@pytest.mark.parametrize("file_text", ["", "  acknowledge_from_link: signed_in"])
def test_the_way_a_link_acknowledges_is_the_protocols_and_changes_no_rule(trial, study, file_text):
    lines = (study / "protocol.yaml").read_text().splitlines()
    right = next(line for line in lines if line.startswith("  acknowledge_from_link"))
    rules = load_rules(spoil_file(study, right, file_text)).rules
    way = "signed_in" if file_text else "directly"
    assert (rules.protocol.alerts.acknowledge_from_link, rules.version) == (
        way,
        trial.rules.version,
    )


CURVES = {
    "uniform": "uniform",
    "weibull": "{weibull: {scale_days: 6, shape: 0.8}}",
    "table": "{table: [[3, 0.5], [14, 1.0]]}",
}


@pytest.mark.parametrize("shape", CURVES)
def test_every_onset_curve_can_be_written(study, shape):
    rules = load_rules(spoil_file(study, "{exponential: {mean_days: 5}}", CURVES[shape])).rules
    assert rules.protocol.rules[0].curve.shape == shape


def test_a_table_of_the_protocols_own_is_taken_as_it_is(study):
    spoil_file(study, "      method: beta-binomial", "      method: table")
    spoil_file(study, "      prior: [0.1, 1.9]\n", "")
    spoil_file(study, " stop_when.prior,", "")
    spoil_file(study, "{events: 2, of: [2, 4]}", "{events: 2, of: [2, 3]}")
    spoil_file(study, "{events: 3, of: [5, 11]}", "{events: 3, of: [4, 11]}")
    spoil_file(study, "{events: 2, of: 4, answer: stop}", "{events: 2, of: 3, answer: stop}")
    trial = load_rules(study)
    table = expand_steps(trial.rules.protocol.rules[0].stop_when.boundary, 40)
    attained_alpha = trial.study.designs["BLINA-HSCT.S1"].attained_alpha
    assert attained_alpha == pytest.approx(_stopping_chance(table, 0.05))


SPOILT_NEIGHBOURS = {  # file beside the protocol, the right text, the slip, the refusal
    "a role with nobody in it": (
        "recipients.yaml",
        "  dsmb:\n    - {person: chair",
        "  dsmb_members:\n    - {person: chair",
        (
            "protocol.yaml line 189, rules.BLINA-HSCT.S1.then.tell",
            "nobody in recipients.yaml is 'dsmb'",
        ),
    ),
    "an address that is none": (
        "recipients.yaml",
        "on call, email: ",
        "on call, email: nobody, webhook: ",
        ("recipients.yaml line ", "give one of email, webhook, alertmanager and chat"),
    ),
    "a time zone that is none": (
        "sites.yaml",
        "America/New_York",
        "America/Newyork",
        ("sites.yaml line ", ".timezone: 'America/Newyork' is no IANA time zone"),
    ),
    "a signature without a hash": (
        "signatures.yaml",
        "signatures: []",
        "signatures: [{name: A, role: B, date: 2026-01-31, sha256: later}]",
        ("signatures.yaml line ", "signatures.1.sha256: must match pattern", "not 'later'"),
    ),
}


@pytest.mark.parametrize(
    ("file", "right", "slip", "says"), SPOILT_NEIGHBOURS.values(), ids=SPOILT_NEIGHBOURS
)
def test_a_slip_beside_the_protocol_is_refused_too(study, file, right, slip, says):
    if not (study / file).exists():
        (study / file).write_text(right)
    message = load_refused(spoil_file(study, right, slip, file))
    assert [part for part in says if part not in message] == []


def test_a_study_without_a_protocol_is_refused(tmp_path):
    assert load_refused(tmp_path) == ("protocol.yaml: cannot be read: No such file or directory")
    (tmp_path / "protocol.yaml").write_text("")
    assert load_refused(tmp_path) == "protocol.yaml: is empty"
