"""Answers of commands: tables and JSON alike, one line when wrong, nothing loaded in vain."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.main import main
from services.cli.shared import columns
from services.cli.shared.columns import list_headings
from tests.helpers.fact_notes import lab
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "command-json.md").read_text()
UNKNOWN = {"subject": "P-777", "observed_at": "2026-03-01T09:00Z", "body": {"kind": "relapse"}}
DESIGN = ["--p0", ".2", "--alpha", ".05", "--n", "30"]
LISTS = {
    "records": columns.RECORDS,
    "rules status": columns.RULES,
    "alerts list --all": columns.ALERTS,
    "participants list": columns.PARTICIPANTS,
    "sites list": columns.SITES,
    "sites keys": columns.SITE_KEYS,
}
READERS = (
    "records", "records --history", "alerts list", "alerts show {alert}", "parked list",
    "participants list", "sites list", "facts export", "explain {record}", "dose", "queries",
)  # fmt: skip
WITHOUT_DATA = ("protocol", "design", "boundary", "chance", "arms", "simulate", "version")
SIMULATE = f"simulate rule {FOLDER} BLINA-HSCT.S1 --window-days 30 --trials 100"
ONE_LINE = {
    "rules sites": "rules sites",
    "endpoints": "endpoints",
    "explain {record}": "explain",
    "alerts show {alert}": "alerts show",
    "verify": "verify",
    "regrade --to ctcae-6.0 --dry-run": "regrade",
    f"protocol check {FOLDER}": "protocol check",
    f"protocol explain {FOLDER}": "protocol explain",
    f"design --p1 .4 {' '.join(DESIGN)}": "design",
    f"boundary --family pocock {' '.join(DESIGN)}": "boundary",
    f"boundary --family sprt --p1 .4 --beta .2 {' '.join(DESIGN)}": "boundary --beta",
    f"design --person-time --p1 .4 {' '.join(DESIGN)}": "design --person-time",
    "boundary --family poisson-maxsprt --alpha .05 --planned 5": "boundary --planned",
    f"chance BLINA-HSCT.S1 --events 1 --of 4 --study {FOLDER}": "chance",
    "arms 5/30 2/31": "arms",
    SIMULATE: "simulate rule",
    f"{SIMULATE} --sensitivity": "simulate rule --sensitivity",
    f"{SIMULATE} --target power=.5 --p1 .3": "simulate rule --target",
    f"simulate protocol {FOLDER} --trials 100": "simulate protocol",
    f"simulate protocol {FOLDER} --share-alpha .2": "simulate protocol --share-alpha",
    "version": "version",
}


def keys_of(command):
    """Return the keys that the documentation promises."""
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{command}` |")]
    return set(re.findall(r"`(\w+)`", row.split("|")[3]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data of a trial with records, alerts, a parked item and a value that cannot be."""
    folder = tmp_path_factory.mktemp("data")
    trial = Timeline(folder)
    trial.treat("P-001", "P-002")
    trial.potassium("6.5", hour=1)
    trial.say(lab("sodium", "1400", 2, "mmol/L", lln="135", uln="145"))
    trial.advance_to(3)
    trial.rules.settle()
    trial.close()
    facts = folder / "facts.ndjson"
    facts.write_text(json.dumps(UNKNOWN))
    study = ["--study", str(FOLDER), "--data", str(folder)]
    people = folder / "people.csv"
    people.write_text("participant,site\nP-003,berlin\n")
    main(["participants", "import", str(people), *study])
    main(["ingest", str(facts), *study])
    assert main(["sites", "key", "north", *study]) == 0
    return folder


@pytest.fixture
def aegis(folder, capsys, monkeypatch, tmp_path):
    """Run a command on the data from another folder, as one who names only the data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AEGIS_STUDY", raising=False)

    def run_command(line):
        capsys.readouterr()
        words = line.split()
        takes_data = words[0] not in WITHOUT_DATA
        words += ["--data", str(folder)] if takes_data else []
        words += ["--study", str(FOLDER)] if words[0] == "version" else []
        code = main(words)
        return code, capsys.readouterr()

    return run_command


@pytest.fixture
def names(aegis):
    """Return the names of one record and of one alert."""
    (record, *_) = map(json.loads, aegis("records --json")[1].out.splitlines())
    (alert, *_) = map(json.loads, aegis("alerts list --json")[1].out.splitlines())
    return {"record": record["id"][:8], "alert": alert["alert"]}


@pytest.mark.parametrize("line", LISTS)
def test_a_list_has_the_rows_of_its_table_and_the_columns_of_its_help(line, aegis, capsys):
    code, table = aegis(line)
    assert code == 0
    head, *rows = table.out.splitlines()
    assert re.split(r" {2,}", head) == list(list_headings(LISTS[line]))
    values = [json.loads(one) for one in aegis(f"{line} --json")[1].out.splitlines()]
    assert values
    first_cells = [row.split()[0] for row in rows[: len(values)]]
    key = list_headings(LISTS[line])[0]
    assert first_cells == [
        value["content"]["participant"] if line == "records" else value[key] for value in values
    ]
    words = [word for word in line.split() if not word.startswith("--")]
    assert all(keys_of(" ".join(words)) <= value.keys() for value in values)
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    help_text = capsys.readouterr().out
    assert all(f"  {heading} " in help_text for heading in list_headings(LISTS[line]))


@pytest.mark.parametrize("line", ONE_LINE)
def test_an_answer_for_programs_has_the_keys_that_are_documented(line, aegis, names):
    _, answer = aegis(f"{line.format(**names)} --json")
    *findings, value = map(json.loads, answer.out.splitlines())
    assert all(one.keys() == {"finding"} for one in findings)
    documented_keys = keys_of(ONE_LINE[line]) - {"finding"}
    assert documented_keys <= value.keys()


def test_questions_and_items_have_the_keys_that_are_documented(aegis):
    for line in ("queries", "parked list"):
        values = [json.loads(one) for one in aegis(f"{line} --json")[1].out.splitlines()]
        assert values, line
        assert all(keys_of(line) <= value.keys() for value in values)
    for line in ("dose --json", "records --json", "records --canonical"):
        assert aegis(f"{line} --as-of 2020-01-01T00:00Z")[1].out == ""


@pytest.mark.parametrize(
    "line", ["records", "records --history", "dose", "queries", "facts export"]
)
def test_an_unknown_participant_is_said_in_one_line(line, aegis):
    code, answer = aegis(f"{line} --participant P-999")
    assert code == 2
    assert answer.out == ""
    assert answer.err.splitlines() == [
        f"aegis {line.split()[0]}: nobody is called P-999: `aegis participants list`"
    ]


def list_loaded_modules(words, folder):
    """Return the names of the modules that a process has loaded at the end of a command."""
    program = (
        "import sys\nfrom services.cli.main import main\n"
        f"code = main({words!r})\nprint('loaded:', *sys.modules)\nsys.exit(code)"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(process.stdout.split("loaded:")[1].split())


@pytest.mark.parametrize("line", READERS)
def test_a_command_that_only_prints_loads_no_statistics(line, folder, names, tmp_path):
    words = line.format(**names).split()
    modules = list_loaded_modules([*words, "--data", str(folder)], tmp_path)
    packages = {name.partition(".")[0] for name in modules}
    assert not packages & {
        "alembic", "faust", "kafka", "matplotlib", "numpy", "psycopg", "scipy", "starlette",
        "structlog",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        f"boundary --family pocock {' '.join(DESIGN)}",
        f"boundary --family sprt --p1 .4 --beta .2 {' '.join(DESIGN)} --json",
        "boundary --family poisson-maxsprt --alpha .05 --planned 5",
        f"design --p1 .4 {' '.join(DESIGN)}",
        f"design --person-time --p1 .4 {' '.join(DESIGN)}",
        "arms 5/30 2/31 --json",
    ],
)
def test_a_design_loads_neither_a_study_nor_what_scipy_only_mentions(line, tmp_path):
    modules = list_loaded_modules(line.split(), tmp_path)
    assert not modules & {"pydantic", "sqlalchemy", "yaml", "matplotlib"}
    assert "scipy.special" in modules
    assert not modules & {"numpy.f2py.f2py2e", "numpy.ma.core", "numpy.testing._private.utils"}
