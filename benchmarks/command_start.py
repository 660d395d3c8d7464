"""The time to answer of a command: the processor time of its process, in which it does little else.

Measured: help and a wrong argument, which load the arguments alone; each command that prints what
is stored, on data of which nothing is graded yet; and some that load the rules of the study, which
is to recompute every boundary of its protocol.

The floor: the same interpreter that does nothing (`python -c pass`).
"""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
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
    "rules status",
    "dose --participant P-001",
    "queries --participant P-001",
    "refused list",
    f"protocol check {_STUDY}",
    "boundary --family pocock --p0 .2 --alpha .05 --n 30",
)
_WITHOUT_DATA = ("-", "protocol", "boundary", "version")  # how they begin


def measures(material: Material) -> list[Measure]:
    """Return one measure for each command."""
    return [
        Measure(
            f"start of `aegis {command}`",
            "ms",
            partial(_measure_aegis, command, material.feed_installation),
            {"floor: python -c pass": partial(_measure_ms, [sys.executable, "-c", "pass"])},
        )
        for command in _COMMANDS
    ]


def _measure_aegis(command: str, folder: Path) -> float:
    words = command.split()
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
