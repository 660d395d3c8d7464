"""The compiled functions of `scipy.special` without the rest of the package, for short commands.

The package wraps each function for other libraries of arrays and loads linear algebra: a quarter of
the time of such a command. Whoever asks it for anything else loads all of it.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec

_PACKAGE = "scipy.special"


def load_functions_alone() -> None:
    """Let `scipy.special` have its compiled functions alone, unless it is loaded."""
    spec = None if _PACKAGE in sys.modules else find_spec(_PACKAGE)
    if spec is None or spec.loader is None:
        return
    loader, package = spec.loader, module_from_spec(spec)

    def load_all(name: str) -> object:
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, name)

    sys.modules[_PACKAGE] = package
    functions = import_module(f"{_PACKAGE}._ufuncs")
    package.__dict__.update((name, getattr(functions, name)) for name in functions.__all__)
    package.__dict__["lambertw"] = import_module(f"{_PACKAGE}._lambertw").lambertw
    package.__dict__["__getattr__"] = load_all  # of a module: asked for names that it has not
