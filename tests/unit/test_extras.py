"""A process has the packages of its role: embedded without Kafka, PostgreSQL and a mail sink."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from services.cli.shared.extras import EXTRAS

ROOT = Path(__file__).parents[2]
PROGRAM = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(EXTRAS)}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def run_without_extras(code):
    """Run *code* where no package of an extra can be imported."""
    return subprocess.run(
        [sys.executable, "-c", f"{PROGRAM}\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_embedded_service_needs_no_extra():
    code = """
import services.cli.commands.run, services.cli.commands.migrate
from services.cli.process.roles import alerts, ingest, journal
"""
    process = run_without_extras(code)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize(
    ("words", "extra"), [(["topics"], "relay"), (["demo", "--participants", "1"], "demo")]
)
def test_a_command_says_what_to_install(words, extra):
    code = f"from services.cli.main import main; sys.exit(main({words}))"
    process = run_without_extras(code)
    assert process.returncode == 2, process.stderr
    assert process.stderr.count("\n") == 1
    assert f"pip install 'aegis[{extra}]'" in process.stderr


def test_every_extra_that_is_named_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(EXTRAS.values()) <= set(project["optional-dependencies"])
