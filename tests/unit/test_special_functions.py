"""The functions of `scipy.special` that short commands load are those of the whole package."""

import re
import subprocess
import sys
from pathlib import Path

import services

_NAMES = sorted(
    {
        name
        for file in Path(services.__path__[0]).rglob("*.py")
        for name in re.findall(r"\bspecial\.([a-z]\w+)\(", file.read_text())
    }
)
_SCRIPT = """
import sys
from services.runtime.special_functions import load_functions_alone
load_functions_alone()
from scipy import special
names = sys.argv[1:]
functions = [special.__dict__[name] for name in names]
assert "scipy.linalg" not in sys.modules
assert special.legendre(1)(0.5) == 0.5  # no compiled function: all of the package is loaded
assert "scipy.linalg" in sys.modules
assert functions == [getattr(special, name) for name in names]
load_functions_alone()
assert special.legendre
"""


def test_every_function_in_use_is_that_of_the_package() -> None:
    assert "betainc" in _NAMES
    subprocess.run([sys.executable, "-c", _SCRIPT, *_NAMES], check=True)
