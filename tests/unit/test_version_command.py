"""``aegis version``: by which rules this Aegis grades, said at once and honestly."""

import json
import os
import resource
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from services.cli.commands.version import find_build_date
from services.cli.main import main
from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.edition import EDITION

ROOT = Path(__file__).parent.parent.parent
STUDY = ROOT / "studies" / "blina-hsct"


def test_it_names_the_rules_that_run(capsys):
    assert main(["version", "--study", str(STUDY), "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert list(output) == ["version", "rules_version", "rules_edition", "python", "built"]
    assert output["rules_version"] == load_rules(STUDY).rules.version
    assert output["rules_edition"] == EDITION
    assert output["python"] == ".".join(map(str, sys.version_info[:3]))


def test_people_read_it_line_by_line(capsys, monkeypatch):
    monkeypatch.setenv("AEGIS_STUDY", str(STUDY))
    assert main(["version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "version", "rules_version", "rules_edition", "python", "built"
    ]  # fmt: skip


def test_the_date_is_that_of_the_commit_and_unknown_without_a_repository(tmp_path):
    assert find_build_date(tmp_path) is None
    if (ROOT / ".git").exists():
        assert datetime.fromisoformat(find_build_date(ROOT)).tzinfo is not None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file"),
        ("a: [", "not YAML"),
        ("study: X", "line 1, criteria: is missing; it is one of: ctcae-5.0, ctcae-6.0"),
        ("criteria: ctcae-4.0", "line 1, criteria: 'ctcae-4.0' is no table; it is one of: "),
    ],
)
def test_a_study_that_cannot_be_read_is_named(tmp_path, capsys, content, problem):
    if content is not None:
        (tmp_path / "protocol.yaml").write_text(content)
    assert main(["version", "--study", str(tmp_path)]) == 2
    output = capsys.readouterr().err
    assert problem in output
    assert str(tmp_path) in output


def test_elsewhere_it_names_all_but_the_rules(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("AEGIS_STUDY", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["version", "--json"]) == 0
    output, note = capsys.readouterr()
    assert (json.loads(output)["rules_version"], json.loads(output)["rules_edition"]) == (
        None,
        EDITION,
    )
    assert "name a study with --study" in note


def test_a_study_that_the_environment_names_has_to_be_there(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AEGIS_STUDY", str(tmp_path / "nowhere"))
    assert main(["version"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_it_starts_at_once():
    usage_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "services.cli.main", "version", "--study", str(STUDY)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        check=True,
    )
    usage_after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent_s = (
        usage_after.ru_utime + usage_after.ru_stime - usage_before.ru_utime - usage_before.ru_stime
    )
    assert spent_s < 1.5, "something heavy is imported; it takes 0.4 s of CPU"


def test_nothing_heavy_is_imported():
    code = "import sys; import services.cli.commands.version; print(*sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "scipy", "sqlalchemy", "faust", "kafka", "matplotlib", "starlette"}
    assert not heavy.intersection(process.stdout.split())
