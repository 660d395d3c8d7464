"""The script in base R that `aegis` writes, run by R: it recomputes every number itself."""

import subprocess

import pytest

from services.cli.commands.protocol_explain import list_planned_rules
from services.cli.shared.read_study import read_study
from services.reports.r_script import write_r_script
from services.reports.statistical_plan import PlannedRule
from services.safety_rules.reports.boundary_tables import design_boundary
from tests.helpers.person_time import write_person_time_study

pytestmark = pytest.mark.server

FAMILIES = {
    "pocock": {},
    "obrien-fleming": {},
    "wang-tsiatis": {"delta": (0.4,)},
    "beta-binomial": {"prior": (0.6, 2.4)},
    "chen-chaloner": {"prior": (0.6, 2.4), "p1": (0.4,), "nu": (0.3,)},
    "sprt": {"p1": (0.4,)},
    "maxsprt": {},
    "posterior": {"prior": (0.6, 2.4), "theta": (0.9,), "limit": (0.25,), "strictly": (1,)},
}


def plan(name, looks, rates=(0.1, 0.2, 0.4)):
    parameters = FAMILIES[name]
    design = design_boundary(name, 0.2, 0.1, 25, looks=looks, rates=rates, parameters=parameters)
    return PlannedRule(f'{name} "{len(looks)}"', "", "", 0.2, design, parameters, rates)


@pytest.fixture
def run_script(rscript, tmp_path):
    """A function that runs a script, given as bytes, and returns what became of it."""

    def run(content):
        script = tmp_path / "rules.R"
        script.write_bytes(content)
        return subprocess.run([rscript, script], capture_output=True, text=True, check=False)

    return run


def test_r_finds_the_same_for_every_family_and_for_grouped_looks(run_script):
    rules = [plan(name, looks) for name in FAMILIES for looks in ((), (5, 12, 25))]
    result = run_script(write_r_script(rules))
    assert result.returncode == 0, result.stderr
    assert f"{len(rules)} rules recomputed: nothing differs" in result.stdout


def test_r_finds_the_same_for_the_trial_and_for_person_time(run_script, tmp_path):
    rules = list_planned_rules(read_study(write_person_time_study(tmp_path)))
    result = run_script(write_r_script(rules))
    assert result.returncode == 0, result.stderr
    assert f"{len(rules)} rules recomputed: nothing differs" in result.stdout


@pytest.mark.parametrize("name", ["boundary = c(", "attained = ", "p_stop = c("])
def test_r_says_so_when_a_number_is_another(name, run_script):
    script = write_r_script([plan("pocock", ())]).decode()
    start = script.index(name) + len(name)
    changed = script[:start] + ("1" if name.startswith("boundary") else "0.9 + ") + script[start:]
    result = run_script(changed.encode())
    assert result.returncode != 0
    assert "here" in result.stderr
