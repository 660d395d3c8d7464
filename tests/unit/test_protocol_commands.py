"""`aegis protocol check` and `aegis protocol explain`, of the trial's own protocol."""

import re
import shutil
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
import yaml

from services.cli.commands.rules_status import describe_joint_error
from services.cli.main import main
from services.cli.shared.read_study import read_study

TRIAL = Path("studies/blina-hsct")
PROTOCOL_TEXT = yaml.safe_load((TRIAL / "protocol.yaml").read_text())


@pytest.fixture
def study(tmp_path):
    """A copy of the trial's folder, and a way to change its protocol."""
    folder = tmp_path / "study"
    shutil.copytree(TRIAL, folder)

    def change(original, replacement):
        file = folder / "protocol.yaml"
        text = file.read_text()
        assert original in text
        file.write_text(text.replace(original, replacement, 1))
        return folder

    return change


def test_check_says_that_every_table_was_recomputed_and_every_example_run(capsys):
    assert main(["protocol", "check", str(TRIAL)]) == 0
    output = capsys.readouterr().out
    assert "nothing is wrong" in output
    assert "DRAFT, signed by nobody" in output
    for rule in PROTOCOL_TEXT["rules"]:
        (line,) = [line for line in output.splitlines() if line.startswith(rule["id"])]
        assert line.endswith(f" {len(rule['worked_examples'])}")


@pytest.mark.parametrize("name", ["protocol.yaml", "draft-2.yaml"])
def test_a_file_is_checked_with_what_is_beside_it(study, capsys, name):
    folder = study("version:", "version:")
    (folder / "protocol.yaml").rename(folder / name)
    assert main(["protocol", "check", str(folder / name)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


def test_a_protocol_alone_is_checked_and_says_what_was_not(study, capsys):
    folder = study("version:", "version:")
    for name in ("sites.yaml", "recipients.yaml"):
        (folder / name).unlink()
    assert main(["protocol", "check", str(folder / "protocol.yaml")]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "sites.yaml is not beside it: not checked",
        "recipients.yaml is not beside it: not checked",
    ]


@pytest.mark.parametrize("names", [["sites.yaml"], ["recipients.yaml"]])
def test_a_folder_is_checked_whole(study, capsys, names):
    folder = study("version:", "version:")
    for name in names:
        (folder / name).unlink()
    assert main(["protocol", "check", str(folder)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": it says")[0] for line in lines] == [
        f"aegis protocol: {folder / name}: is missing" for name in names
    ]


def test_a_site_s_code_that_leads_to_nothing_is_found_by_the_check(study, capsys):
    folder = study("version:", "version:")
    sites = folder / "sites.yaml"
    site = "  - {id: north, timezone: Europe/Oslo, senders: [N], codes: {K: potasium}}\n"
    sites.write_text(f"sites:\n{site}")
    assert main(["protocol", "check", str(folder)]) == 2
    assert "sites.north.codes.K: nothing is called 'potasium'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("drug", "problem"),
    [
        ("blinatumomaab", "did you mean 'blinatumomab'?"),
        ("nonsensumab", "no dose of it could be read; its names in feeds belong in"),
    ],
)
@pytest.mark.parametrize("name", [".", "protocol.yaml"])
def test_a_study_drug_that_no_feed_can_send_is_refused(study, capsys, drug, problem, name):
    folder = study("study_drug: blinatumomab", f"study_drug: {drug}")
    assert main(["protocol", "check", str(folder / name)]) == 2
    output = capsys.readouterr().err
    assert f"line 5, study_drug: nothing is called {drug!r}; {problem}" in output


def test_other_drugs_that_no_feed_can_send_are_named(study, capsys):
    folder = study("antipyretics: [acetaminophen,", "antipyretics: [aspirin, acetaminophen,")
    assert main(["protocol", "check", str(folder)]) == 0
    assert capsys.readouterr().out.endswith("\nno code of a feed means aspirin: never read\n")


def test_a_signed_table_that_differs_is_refused_showing_both(study, capsys):
    folder = study(
        "- {events: 3, of: [5, 11]}\n        - {events: 4, of: [12, 21]}",
        "- {events: 3, of: [5, 12]}\n        - {events: 4, of: [13, 21]}",
    )
    assert main(["protocol", "check", str(folder)]) == 2
    output = capsys.readouterr().err
    assert "BLINA-HSCT.S1.stop_when.boundary" in output
    assert "the file says 2@2-4 3@5-12 4@13-21 5@22-32 6@33-40" in output
    assert "gives 2@2-4 3@5-11 4@12-21 5@22-32 6@33-40 (type I error 0.0480" in output


def test_a_protocol_s_own_table_is_taken_with_its_own_exact_error(study, capsys):
    study("      method: beta-binomial", "      method: table")
    study("      - {events: 3, of: [5, 11]}", "      - {events: 3, of: [5, 10]}")
    folder = study("        - {events: 4, of: [12, 21]}", "        - {events: 4, of: [11, 21]}")
    study("      prior: [0.1, 1.9]\n", "")
    study("{events: 3, of: 11, answer: stop}", "{events: 3, of: 10, answer: stop}")
    study("stop_when.n, stop_when.prior,", "stop_when.n,")
    assert main(["protocol", "check", str(folder)]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "BLINA-HSCT.S1" in one]
    assert "2@2-4 3@5-10 4@11-21 5@22-32 6@33-40" in line
    attained_alpha = float(re.search(r"0\.\d{5}", line)[0])
    assert (
        0.04 < attained_alpha < 0.04804
    )  # stricter to reach than the calibrated one, in one place


@pytest.mark.parametrize(
    ("original", "replacement", "problem"),
    [
        ("{events: 2, of: 4, answer: stop}", "{events: 2, of: 4, answer: continue}", "is 'stop'"),
        ("alpha: 0.05", "alpha: 1.5", "alpha"),
        ("prior: [0.1, 1.9]", "prior: [0, 1.9]", "prior must be above 0 and at most 1e+06"),
        ("prior: [0.1, 1.9]", "prior: [1.0e+6, 1.9e+7]", "divide both numbers of the prior by"),
        ("n: 40", "n: 100000", "n"),
        ("policy: onset_weighted", "policy: naive", "inflates the type I error"),
        ("mean_days: 5", "mean_days: -5", "mean_days must be finite and above 0"),
        ("method: beta-binomial", "method: guess", "'guess'"),
        ("looks: every_participant", "looks: [30, 10]", "looks"),
        ("study: BLINA-HSCT", "study: [", "not YAML"),
    ],
)
def test_check_says_what_is_wrong_and_where(study, capsys, original, replacement, problem):
    assert main(["protocol", "check", str(study(original, replacement))]) == 2
    output = capsys.readouterr().err
    assert problem in output
    assert "protocol.yaml line " in output


@pytest.mark.parametrize("word", ["check", "explain"])
def test_a_protocol_that_is_not_there_is_named(capsys, tmp_path, word):
    assert main(["protocol", word, str(tmp_path / "none.yaml")]) == 2
    assert "none.yaml: cannot be read" in capsys.readouterr().err


@cache
def explain(*arguments):
    with redirect_stdout(StringIO()) as stream:
        assert main(["protocol", "explain", str(TRIAL), *arguments]) == 0
    return re.sub(r"\s+", " ", stream.getvalue())


def test_explain_says_every_source_every_example_and_all_that_is_assumed():
    text = explain()
    for rule in PROTOCOL_TEXT["rules"]:
        for words in (rule["why"], rule["in_words"], rule["title"]):
            assert words in text
        assert f"Basis: {rule['stop_when']['source']}" in text
        assert f"Source: {rule['pending']['source']}" in text
        assert f"Assumed {', '.join(rule['assumed'])}" in text
        for example in rule["worked_examples"]:
            assert f"{example['events']} of {example['of']}: {example['answer']}" in text


def test_explain_says_what_the_rules_refer_to():
    text = explain()
    for slug in PROTOCOL_TEXT["term_sets"]["neurotoxicity"]["only"]:
        assert slug.replace("-", " ") in text
    assert "without those of Blood and lymphatic system disorders and without neutrophil" in text
    assert "counts after 72 h or when confirmed, a grade 4 at once; hyperglycemia" in text
    assert "within 48 h of a steroid only when confirmed" in text
    assert "Window day-100 first infusion to transplant day 100" in text


def test_explain_says_what_the_rules_do():
    """The figures of the design's table of the trial's rules."""
    text = explain()
    assert "DRAFT, signed by nobody" in text
    assert "2 of 2 to 4, 3 of 5 to 11, 4 of 12 to 21, 5 of 22 to 32, 6 of 33 to 40" in text
    for rate, p_stop in (("0.15", "0.659"), ("0.2", "0.881"), ("0.25", "0.761"), ("0.5", "0.726")):
        assert f" {rate} {p_stop}" in text
    assert "half of all events by day 3.5" in text  # 5 days x log 2
    assert "exact 1 - prod(1 - attained) 0.181, 1 - prod(1 - alpha) 0.185" in text
    assert "simulated, 20,000 trials, seed " in text


@pytest.mark.slow
def test_the_document_is_the_same_bytes_each_time(tmp_path):
    for name in ("one.pdf", "two.pdf"):
        explain("--pdf", str(tmp_path / name))
    first_document, two = ((tmp_path / name).read_bytes() for name in ("one.pdf", "two.pdf"))
    assert first_document == two
    assert first_document.startswith(b"%PDF")
    assert first_document.count(b"/Type /Page\n") + first_document.count(
        b"/Type /Page "
    ) == 1 + len(PROTOCOL_TEXT["rules"])


FOLLOW_UP = {  # the window of rule S1; what is said of it
    "of days from the first infusion": (
        "{from: first_infusion, to: {anchor: first_infusion, day: 28}}",
        "first infusion to day 28 from first infusion, 28 days",
    ),
    "from the day after": (
        "{from: {anchor: first_infusion, day: 1}, to: {anchor: first_infusion, day: 29}}",
        "day 1 from first infusion to day 29 from first infusion, 28 days",
    ),
    "to a day of the transplant": (
        "{from: first_infusion, to: {anchor: transplant, day: 183}}",
        "to transplant day 183, at most 123 days (first course from transplant day 60 on)",
    ),
    "of each course": (
        "{from: each_course, to: {anchor: each_course, day: 30}}",
        "start of each course to day 30 from start of each course, 30 days",
    ),
    "from enrolment to a day of the transplant": (
        "{from: enrolment, to: {anchor: transplant, day: 100}}",
        "to transplant day 100, at most 100 days (enrolment on the day of the transplant or later)",
    ),
}


@pytest.mark.parametrize(("window", "words"), FOLLOW_UP.values(), ids=FOLLOW_UP)
def test_each_rule_counts_its_own_window(study, capsys, window, words):
    original = "    window: {from: first_infusion, to: {anchor: transplant, day: 100}}"
    folder = study(original, f"    window: {window}")
    assert main(["protocol", "explain", str(folder)]) == 0
    assert words in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_a_given_follow_up_is_that_of_every_rule():
    assert "each followed 50 days, and evaluated when complete" in explain("--window-days", "50")
    assert "each followed through the rule's window, and evaluated when complete" in explain()


def test_the_days_to_the_decision_grow_with_the_window_of_the_rule():
    """S1, S4 and W1 have one boundary: each is followed 40, 40 and 30 days."""
    days = re.findall(r"0.05 \(p0\) 0.0480 38.82 1.94 \S+ (\d+) 11", explain())
    assert days == ["386", "386", "376"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--accrual-days", "0"], "--accrual-days must be above 0 and up to 3650 days, not 0"),
        (["--window-days", "-1"], "--window-days must be from 0 up to 3650 days, not -1"),
        pytest.param(
            ["--pdf", "/nowhere/a.pdf"],
            "--pdf /nowhere/a.pdf cannot be written",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_cannot_be_explained_names_the_argument(capsys, arguments, problem):
    assert main(["protocol", "explain", str(TRIAL), *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_the_status_of_the_rules_ends_with_their_joint_false_stop():
    text = describe_joint_error(read_study(TRIAL))
    simulated_rate, exact = re.findall(r"0\.\d{3}\b", text)
    assert exact == "0.181"
    assert float(simulated_rate) == pytest.approx(0.181, abs=0.011)  # four standard errors
    assert "20,000 trials, seed 20260101, standard error 0.0027;" in text
    explained_rate = re.search(r"probability (0\.\d{3}) if their events are independent", explain())
    assert explained_rate is not None
    assert explained_rate[1] == simulated_rate


def test_check_says_what_is_not_calibrated_and_which_bound_binds(capsys):
    assert main(["protocol", "check", "tests/golden/protocols/methods.yaml"]) == 0
    output = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "METHODS.POST: posterior: nothing is calibrated, alpha has no part" in output
    assert "METHODS.CHEN: Chen-Chaloner: nu binds (P(p > 0.3) above 0.3) at 24; elsewhere" in output
