"""The main job as a newcomer sees it: a trial through the real port, and what came of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.demo.scoring import KEY_EVENTS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
AEGIS = (sys.executable, "-m", "services.cli.main")


def aegis(*words):
    process = subprocess.run(
        [*AEGIS, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def small_demo(tmp_path_factory):
    """The output of the demo for a small trial, and the folder that it leaves."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    return aegis("demo", "--participants", "13", "--days", "20", "--data", str(folder)), folder


def test_records_are_the_answer_key_and_nothing_is_lost(small_demo):
    output, _ = small_demo
    assert re.search(r"\d+ sent, 0 refused, \d+ parked, lost 0", output)
    for subject in ("records", "decisions", "mails"):
        score = re.search(rf"{subject} = answer key: (\d+) of (\d+)", output)
        assert score, subject
        assert score[1] == score[2] != "0"


def test_what_it_leaves_is_for_its_owner_alone(small_demo):
    _, folder = small_demo
    modes = {path: path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}
    assert {"trial", "log", "mails", "db"} <= {path.name for path in modes}
    assert not any(modes.values())


def test_a_boundary_is_told_on_the_day_on_which_it_was_reached(small_demo):
    output, folder = small_demo
    decisions = map(
        json.loads, aegis("rules", "status", "--json", "--data", str(folder)).splitlines()
    )
    crossings = {one["rule"]: one["crossed_since"] for one in decisions if one["crossed_since"]}
    notices = re.search(r"^\[(\S+)\] Boundary reached.*\n.*Data to (\S+)", output, re.MULTILINE)
    assert notices
    assert notices[2] == crossings[notices[1]][:10]


def test_what_waits_is_what_the_generator_spoilt(small_demo):
    _, folder = small_demo
    expected = json.loads((folder / "trial" / "expected_parked.json").read_text())
    parked_list = aegis("parked", "list", "--data", str(folder))
    assert expected
    for reason, count in expected.items():
        assert len(re.findall(rf"  {reason}  ", parked_list)) == count
    assert len(parked_list.splitlines()) == sum(expected.values()) + 1


def test_each_rule_counts_whom_the_generator_meant(small_demo):
    _, folder = small_demo
    expected_participants = json.loads((folder / "trial" / "expected_rules.json").read_text())
    lines = aegis("rules", "status", "--json", "--data", str(folder)).splitlines()
    decisions = {one["rule"]: one for one in map(json.loads, lines)}
    for rule, counts in KEY_EVENTS.items():
        participant = sorted(one["participant"] for one in decisions[rule]["contributors"])
        assert participant == sorted(expected_participants[counts]), rule
    assert decisions["BLINA-HSCT.S1"]["signal"] == "boundary reached: review required"


def test_the_dsmb_was_told_with_the_picture(small_demo):
    output, folder = small_demo
    assert "[BLINA-HSCT.S1] Boundary reached: review required" in output
    mails = [path.read_text() for path in (folder / "mails").iterdir()]
    to_chair = [m for m in mails if "dsmb-chair@example.org" in m and "Boundary reached" in m]
    assert to_chair
    assert all("image/png" in mail and "DRAFT" in mail for mail in to_chair)


def test_pictures_are_there(small_demo):
    _, folder = small_demo
    for name in ("boundary", "course"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (folder / f"{name}.svg").read_text()


def test_the_commands_that_it_names_work(small_demo):
    output, folder = small_demo
    commands = re.findall(r"^  \.venv/bin/aegis (.+)$", output, re.MULTILINE)
    assert [words.split()[0] for words in commands] == ["login", "explain", "rules", "run"]
    assert "Sam Ito, MD (safety_officer) is signed in until" in aegis(*commands[0].split())
    assert "Published: CTCAE" in aegis(*commands[1].split())
    assert "boundary reached: review required" in aegis(*commands[2].split())
    assert f"--data {folder}" in commands[3]


def test_its_people_sign_in_with_the_passwords_that_it_leaves(small_demo):
    output, folder = small_demo
    password_file = folder / "sign-in.txt"
    assert f"passwords in {password_file}" in output
    assert password_file.stat().st_mode & 0o777 == 0o600
    people = [line.split(" ")[0] for line in password_file.read_text().splitlines()]
    assert people == ["admin", "safety", "chair", "member", "statistician", "site"]
    for person in people:
        words = ("login", person, "--password-file", str(password_file), "--data", str(folder))
        assert "is signed in until" in aegis(*words)


def test_it_is_sound(small_demo):
    _, folder = small_demo
    assert "verified: nothing found" in aegis("verify", "--data", str(folder))
    assert "replayed: the same history" in aegis("replay", "--data", str(folder))


def test_the_rules_alone_say_the_same_of_the_same_facts(small_demo, tmp_path):
    _, folder = small_demo
    sound = aegis("records", "--canonical", "--data", str(folder)).splitlines()
    facts = tmp_path / "facts.ndjson"
    facts.write_text(aegis("facts", "export", "--data", str(folder)))
    assessment = json.loads(aegis("assess", str(facts), "--json"))
    assessed_records = [json.dumps(one["content"], sort_keys=True) for one in assessment["records"]]
    assert sorted(assessed_records) == sorted(
        json.dumps(json.loads(one), sort_keys=True) for one in sound
    )


def test_the_same_seed_is_the_same_trial(tmp_path):
    for name in ("one", "two"):
        aegis(
            "simulate", "trial", "--participants", "3", "--days", "4", "--out", f"{tmp_path}/{name}"
        )
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
