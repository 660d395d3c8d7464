"""Arguments of commands: one spelling, cheap to load, and the values that the work accepts."""

import argparse
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import get_args

import pytest

from services.charts.chart_content import ImageFormat
from services.cli import arguments, commands
from services.cli.arguments import (
    boundary,
    design,
    endpoints,
    grade,
    participants,
    person_time,
    pictures,
    run,
)
from services.cli.main import COMMANDS, build_parser, load_command, main
from services.cli.process.service import ROLES
from services.cli.shared.columns import list_headings
from services.ingest.participant_rows import COLUMNS
from services.safety_rules.reports import boundary_tables, graded_rows, person_time_tables
from services.safety_rules.reports.endpoints import IDS

PARTS = {  # each of the command that it names
    "alerts_route", "boundary_person_time", "boundary_two_sided", "chance_person_time",
    "design_person_time", "endpoints_groups", "endpoints_report", "explain_record",
    "protocol_check", "protocol_explain", "rules_sites", "rules_status", "simulate_protocol",
    "simulate_rule",
}  # fmt: skip
SHARED_MODULES = {"common", "numbers", "pictures", "person_time", "plan_documents", "trial_course"}
HEAVY = (
    "alembic", "cryptography", "faust", "kafka", "matplotlib", "numpy", "pydantic", "scipy",
    "sqlalchemy", "starlette", "structlog", "yaml",
)  # fmt: skip


def modules_in(package):
    (folder,) = package.__path__
    return {file.stem for file in Path(folder).glob("*.py")} - {"__init__"}


def actions_of(parser):
    return parser._actions  # noqa: SLF001 (argparse has no other way to ask)


def choices_of(parser):
    """Return the parsers of the words that may follow, by word."""
    kinds = argparse._SubParsersAction  # noqa: SLF001
    return next((a.choices for a in actions_of(parser) if isinstance(a, kinds)), {})


def walk(parser, words):
    """Yield each parser that takes no further word, with its words."""
    choices = choices_of(parser)
    if not choices:
        yield words, parser
    for word, child in choices.items():
        yield from walk(child, [*words, word])


def parsers():
    for command in COMMANDS:
        yield from walk(choices_of(build_parser(command))[command], [command])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("records --nope", "aegis records: unrecognized arguments: --nope"),
        ("participants list --nope", "aegis participants list: unrecognized arguments: --nope"),
        ("participants list more", "aegis participants list: unrecognized arguments: more"),
        ("--nope records", "aegis: unrecognized arguments: --nope"),
        ("boundary --p0 nan", "aegis boundary: --p0: 'nan' is no number"),
        ("design --n 10.5", "aegis design: --n: '10.5' is not a whole number from 1 to 1000"),
        ("boundary --looks ,", "aegis boundary: --looks: ',' is not whole numbers like 5,10,15"),
        ("demo --seed x", "aegis demo: --seed: 'x' is no whole number"),
        ("boundary --n", "aegis boundary: --n: expected one argument"),
        (
            "simulate rule s R --window-days -5",
            "aegis simulate rule: --window-days: '-5' is no number of days like 30, nor a range like 10-40",  # noqa: E501
        ),
        (
            "arms -1/30 2/31",
            "aegis arms: EVENTS/OF: '-1/30' is no number of events and of participants like 5/30",
        ),
        (
            "arms 1/30 -.2/31",
            "aegis arms: EVENTS/OF: '-.2/31' is no number of events and of participants like 5/30",
        ),
        ("arms 1/30", "aegis arms: the following arguments are required: EVENTS/OF"),
    ],
)
def test_an_argument_that_is_refused_is_one_line_with_the_help_of_its_own_command(
    capsys, line, problem
):
    with pytest.raises(SystemExit) as exit_info:
        main(line.split())
    command = problem.partition(":")[0]
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"{problem}; {command} --help\n"


def test_a_negative_number_is_the_value_of_its_option():
    line = "boundary --family beta-binomial --alpha .1 --prior -1,2 --p0 -.2"
    args = build_parser("boundary").parse_args(line.split())
    assert (args.prior, args.p0) == ((-1, 2), -0.2)


def test_each_command_has_two_modules_of_its_name():
    assert modules_in(commands) - PARTS == set(COMMANDS)
    assert modules_in(arguments) - PARTS - SHARED_MODULES == set(COMMANDS)
    assert all(callable(load_command(command)) for command in COMMANDS)


def test_words_that_are_written_twice_are_the_same():
    shapes = boundary_tables.Shapes()
    assert boundary.METHODS == boundary_tables.METHODS
    assert sorted(person_time.PERSON_TIME_METHODS) == sorted(person_time_tables.PERSON_TIME_METHODS)
    assert (shapes.delta, shapes.nu, shapes.theta) == (design.DELTA, design.NU, design.THETA)
    assert endpoints.IDS == IDS
    assert participants.FILE_COLUMNS == COLUMNS
    assert get_args(ImageFormat) == pictures.FORMS
    assert set(run.ROLES) == {role for role in ROLES if role}
    assert (grade.REQUIRED_COLUMNS, grade.OPTIONAL_COLUMNS) == (
        graded_rows.REQUIRED_COLUMNS,
        graded_rows.OPTIONAL_COLUMNS,
    )
    assert grade.CRITERIA == ("ctcae-5.0", "ctcae-6.0")


def test_a_flag_is_spelt_and_read_alike_in_every_command():
    by_flag = defaultdict(set)
    for words, parser in parsers():
        for action in actions_of(parser):
            for flag in action.option_strings:
                by_flag[flag].add((action.metavar, action.type))
                assert "_" not in flag, words
    for flag in ("--participant", "--as-of", "--data", "--study", "--json", "--reason"):
        assert len(by_flag[flag]) == 1, flag


def test_every_word_has_a_help():
    for words, parser in parsers():
        assert parser.description, words
        main_flags = {"--data", "--study", "--as-of", "--json", "--reason", "--out"}
        for action in actions_of(parser):
            if main_flags & set(action.option_strings):
                assert action.help, (words, action.option_strings)


def test_each_table_is_explained_where_it_is_asked_for():
    """The tables print the headings of these columns; each has a sentence."""
    epilogs = [parser.epilog for _, parser in parsers() if "columns:" in (parser.epilog or "")]
    assert len(epilogs) >= 15
    from services.cli.shared import columns  # noqa: PLC0415 (looked through by name)

    tables = {
        name: table
        for name, table in vars(columns).items()
        if name.isupper() and not name.startswith("_") and isinstance(table, tuple)
    }
    for name, table in tables.items():
        assert all(sentence.endswith(".") for _, sentence in table), name
        assert any(
            all(f"  {heading}" in text for heading in list_headings(table)) for text in epilogs
        ), name


def run_python(program):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_help_and_arguments_load_nothing_that_takes_long():
    names = ", ".join(f"services.cli.arguments.{name}" for name in sorted(modules_in(arguments)))
    modules = run_python(f"import sys, services.cli.main, {names}\nprint(*sys.modules)")
    assert not {name.partition(".")[0] for name in modules} & set(HEAVY)


def test_the_help_of_all_loads_no_command():
    program = (
        "import sys\nfrom services.cli.main import build_parser\n"
        "build_parser().format_help()\nprint(*sys.modules)"
    )
    modules = run_python(program)
    assert not [name for name in modules if name.startswith("services.cli.commands")]
    assert not [name for name in modules if name.startswith("services.cli.arguments")]


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("aegis rec", ["records "]),
        ("aegis records --pa", ["--participant "]),
        ("aegis rules ", ["status", "sites"]),
        ("aegis facts add gv", ["gvhd-stage "]),
        ("aegis nothing --", ["--help"]),
    ],
)
def test_a_shell_completes_commands_and_flags(line, completions):
    program = (
        "import os, sys\n"
        f"os.environ.update(_ARGCOMPLETE='1', COMP_LINE={line!r}, COMP_POINT={str(len(line))!r},"
        " _ARGCOMPLETE_IFS='\\n', _ARGCOMPLETE_SUPPRESS_SPACE='0',"
        " _ARGCOMPLETE_STDOUT_FILENAME='/dev/stdout')\n"
        "from services.cli.main import main\nmain([])"
    )
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert {word.strip() for word in completions} <= {word.strip() for word in answer.split("\n")}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_how_to_complete(shell, capsys):
    assert main(["completion", shell]) == 0
    assert "aegis" in capsys.readouterr().out


def test_the_version_is_told_without_a_command(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["--version"])
    assert not exit_info.value.code
    assert capsys.readouterr().out.startswith("aegis ")
