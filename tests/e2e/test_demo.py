"""The main job as a newcomer sees it: a trial through the real port, and what came of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.demo.scoring import COUNTED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
AEGIS = (sys.executable, "-m", "services.cli.main")


def aegis(*words):
    done = subprocess.run(
        [*AEGIS, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the demo prints for a small trial, and the folder that it leaves."""
    out = tmp_path_factory.mktemp("demo") / "out"
    return aegis("demo", "--participants", "13", "--days", "20", "--data", str(out)), out


def test_records_are_the_answer_key_and_nothing_is_lost(shown):
    printed, _ = shown
    assert re.search(r"\d+ sent, 0 refused, \d+ parked, lost 0", printed)
    for subject in ("records", "decisions", "mails"):
        score = re.search(rf"{subject} = answer key: (\d+) of (\d+)", printed)
        assert score, subject
        assert score[1] == score[2] != "0"


def test_a_boundary_is_told_on_the_day_on_which_it_was_reached(shown):
    printed, out = shown
    decisions = map(json.loads, aegis("rules", "status", "--json", "--data", str(out)).splitlines())
    reached = {one["rule"]: one["crossed_since"] for one in decisions if one["crossed_since"]}
    told = re.search(r"^\[(\S+)\] Boundary reached.*\n.*Data to (\S+)", printed, re.MULTILINE)
    assert told
    assert told[2] == reached[told[1]][:10]


def test_what_waits_is_what_the_generator_spoilt(shown):
    _, out = shown
    expected = json.loads((out / "trial" / "expected_parked.json").read_text())
    listed = aegis("parked", "list", "--data", str(out))
    assert expected
    for reason, count in expected.items():
        assert len(re.findall(rf"  {reason}  ", listed)) == count
    assert len(listed.splitlines()) == sum(expected.values()) + 1


def test_each_rule_counts_whom_the_generator_meant(shown):
    _, out = shown
    meant = json.loads((out / "trial" / "expected_rules.json").read_text())
    lines = aegis("rules", "status", "--json", "--data", str(out)).splitlines()
    decided = {one["rule"]: one for one in map(json.loads, lines)}
    for rule, counted in COUNTED.items():
        who = sorted(one["participant"] for one in decided[rule]["contributors"])
        assert who == sorted(meant[counted]), rule
    assert decided["BLINA-HSCT.S1"]["signal"] == "boundary reached: review required"


def test_the_dsmb_was_told_with_the_picture(shown):
    printed, out = shown
    assert "[BLINA-HSCT.S1] Boundary reached: review required" in printed
    mails = [path.read_text() for path in (out / "mails").iterdir()]
    to_chair = [m for m in mails if "dsmb-chair@example.org" in m and "Boundary reached" in m]
    assert to_chair
    assert all("image/png" in mail and "DRAFT" in mail for mail in to_chair)


def test_pictures_are_there(shown):
    _, out = shown
    for name in ("boundary", "course"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (out / f"{name}.svg").read_text()


def test_the_three_commands_that_it_names_work(shown):
    printed, out = shown
    commands = re.findall(r"^  \.venv/bin/aegis (.+)$", printed, re.MULTILINE)
    assert [words.split()[0] for words in commands] == ["explain", "rules", "run"]
    assert "published, grade" in aegis(*commands[0].split())
    assert "boundary reached: review required" in aegis(*commands[1].split())
    assert f"--data {out}" in commands[2]


def test_it_is_sound(shown):
    _, out = shown
    assert "verified: nothing found" in aegis("verify", "--data", str(out))
    assert "replayed: the same history" in aegis("replay", "--data", str(out))


def test_the_rules_alone_say_the_same_of_the_same_facts(shown, tmp_path):
    _, out = shown
    sound = aegis("records", "--canonical", "--data", str(out)).splitlines()
    facts = tmp_path / "facts.ndjson"
    facts.write_text(aegis("facts", "export", "--data", str(out)))
    assessed = json.loads(aegis("assess", str(facts), "--json"))
    again = [json.dumps(one["content"], sort_keys=True) for one in assessed["records"]]
    assert sorted(again) == sorted(json.dumps(json.loads(one), sort_keys=True) for one in sound)


def test_the_same_seed_is_the_same_trial(tmp_path):
    for name in ("one", "two"):
        aegis(
            "simulate", "trial", "--participants", "3", "--days", "4", "--out", f"{tmp_path}/{name}"
        )
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
