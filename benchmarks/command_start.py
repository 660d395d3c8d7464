"""The time to answer of a command: the processor time of its process, in which it does little else.

Measured: help and a wrong argument, which load the arguments alone; each command that prints what
is stored, on data that are graded; those that replay what was known, or fold somebody, or load the
rules of the study, once their answer is kept and when it is asked for first; and the designs of
rules. What only reads is to take half a second at most, what computes 0.6.

The floor: the same interpreter that does nothing (`python -c pass`).
"""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from benchmarks.material import Material
from benchmarks.measuring import Measure

_STUDY = "studies/blina-hsct"
_COMMANDS = (
    "--help",
    "--version",
    "records --help",
    "records --no-such-flag",
    "records",
    "alerts list",
    "parked list",
    "participants list",
    "sites list",
    "facts export --participant P-001",
    f"version --study {_STUDY}",
    "dose --participant P-001",
    "dose",
    "queries --participant P-001",
    "queries",
    "refused list",
    "keys list",
    "explain RECORD",
    "rules status",
    "rules sites",
    "endpoints",
    f"protocol check {_STUDY}",
    f"protocol explain {_STUDY}",
    "boundary --family pocock --p0 .2 --alpha .05 --n 30",
    "boundary --family poisson-maxsprt --alpha .05 --planned 5",
    "design --p0 .2 --p1 .4 --alpha .05 --n 30",
    "design --person-time --p0 .08 --p1 .2 --window-days 183 --n 20 --alpha .1",
    f"chance BLINA-HSCT.S1 --events 1 --of 4 --study {_STUDY}",
    "arms 5/30 2/31",
    f"simulate rule {_STUDY} BLINA-HSCT.S1 --window-days 30 --trials 100",
)
_KEPT = ("explain RECORD", "rules status", "rules sites", "endpoints")  # until the data change
_WITHOUT_DATA = (  # how they begin
    *("-", "protocol", "boundary", "design", "chance", "arms", "simulate", "version"),
)


def measures(material: Material) -> list[Measure]:
    """Return one measure for each command, and for the first answer of those that keep it."""
    folder = material.graded_installation
    runs = [(f"{command}`", partial(_measure_aegis, command, folder)) for command in _COMMANDS]
    runs += [
        (f"{command}`, the first answer", partial(_measure_first_answer, command, folder))
        for command in _KEPT
    ]
    return [
        Measure(
            f"start of `aegis {name}",
            "ms",
            run,
            {"floor: python -c pass": partial(_measure_ms, [sys.executable, "-c", "pass"])},
        )
        for name, run in runs
    ]


def _measure_first_answer(command: str, folder: Path) -> float:
    shutil.rmtree(folder / "answers", ignore_errors=True)
    return _measure_aegis(command, folder)


@cache
def _find_record(folder: Path) -> str:
    """Return the id of a record of the data in *folder*."""
    words = [sys.executable, "-m", "services.cli.main", "records", "--json", "--data", str(folder)]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout  # noqa: S603 - words of this file
    return str(json.loads(lines.splitlines()[0])["id"])


def _measure_aegis(command: str, folder: Path) -> float:
    words = [_find_record(folder) if word == "RECORD" else word for word in command.split()]
    is_data_read = not command.startswith(_WITHOUT_DATA) and not words[-1].startswith("--")
    data = ["--data", str(folder)] if is_data_read else []
    return _measure_ms([sys.executable, "-m", "services.cli.main", *words, *data])


def _measure_ms(command: Sequence[str]) -> float:
    """Run *command*; return the milliseconds of the processor that its process took."""
    usage_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 - words of this file
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=os.environ
    )
    usage_after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (
        usage_after.ru_utime + usage_after.ru_stime - usage_before.ru_utime - usage_before.ru_stime
    )
