"""Uncaught exceptions of threads, tasks and libraries: type and place are shown, no value."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "DOE^JANE"
SCRIPT = """
import asyncio, logging, sys, threading, warnings
from services.cli import main as program
from services.cli.commands import version

NAME = "DOE^" + "JANE"  # not in the line that a traceback quotes

def fail(*_):
    text = NAME
    return int(text)

class Deleted:
    def __del__(self):
        fail()

async def lose_a_task():
    async def task():
        fail()
    lost = asyncio.create_task(task())
    await asyncio.sleep(0)
    del lost

async def fail_in_a_callback():
    asyncio.get_running_loop().call_soon(fail)
    await asyncio.sleep(0)

def chain():
    try:
        fail()
    except ValueError as error:
        raise KeyError(NAME) from error

def start_a_thread():
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

def log_an_exception():
    try:
        fail()
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed on %s", NAME)

def perform(args):
    {does}
    return 0

version.perform = perform
sys.argv = ["aegis", "version"]
sys.exit(program.main())
"""
# what happens: the code of the process, and words that tell somebody where to look
CASES = {
    "fail()": (1, ("ValueError (its text is not shown", "in fail")),
    "chain()": (1, ("ValueError (", "while it was handled", "KeyError (")),
    "start_a_thread()": (0, ("ValueError (", "in fail")),
    "Deleted()": (0, ("ValueError (", "in __del__")),
    "asyncio.run(lose_a_task())": (0, ("library_message", "asyncio", "ValueError")),
    "asyncio.run(fail_in_a_callback())": (0, ("library_message", "asyncio", "ValueError")),
    "log_an_exception()": (0, ("library_message", "uvicorn.error", "ValueError")),
    'logging.getLogger("faust").error("crashed on %s", NAME)': (0, ("library_message", "faust")),
    "warnings.warn(NAME)": (0, ("library_message", "py.warnings")),
}


@pytest.mark.parametrize("does", CASES)
def test_type_and_place_are_shown_and_no_value(does):
    code, words = CASES[does]
    program = SCRIPT.replace("{does}", does)
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == code, process.stderr
    for word in words:
        assert word in process.stderr
    assert NAME not in process.stdout + process.stderr
