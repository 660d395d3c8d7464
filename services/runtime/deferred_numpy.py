"""Parts of numpy that scipy mentions and nothing here uses, loaded when something does.

`scipy.special` copies every name of numpy, and so loads the wrapper generator of Fortran, the tools
of tests and the polynomials: a fifth of the time of a short command. `importlib.util.LazyLoader`
puts a module off until one of its names is asked for. It is not for processes with threads, of
which two might ask at once.
"""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec

import numpy as np

_PARTS = ("ctypeslib", "f2py", "fft", "ma", "polynomial", "random", "testing")


def defer_parts() -> None:
    """Put the loading of parts of numpy off, before scipy is loaded."""
    for part in _PARTS:
        name = f"numpy.{part}"
        spec = None if name in sys.modules else find_spec(name)
        if spec is None or spec.loader is None:
            continue
        spec.loader = LazyLoader(spec.loader)
        module = module_from_spec(spec)
        sys.modules[name] = module
        setattr(np, part, module)
        spec.loader.exec_module(module)
