"""The licences of the packages in the image; one that nobody has read is a failure."""

import re
from collections.abc import Sequence
from typing import Final

from deploy.supply.locked_packages import LockedPackage

# What a package may declare: each permits use and distribution in an image beside other programs.
# Those of the GNU LGPL and of Mozilla ask that the package itself stays replaceable and its source
# is named, which an installed Python package is.
ACCEPTED: Final = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Zlib",
        # names that are no SPDX identifiers
        "Apache 2",
        "Apache 2.0",
        "Apache License, Version 2.0",
        "Apache Software License",
        "BSD License",
        "BSD-derived (Repoze)",
        "MIT License",
        "Python Software Foundation License",
    }
)
_OPERATOR = re.compile(r" (?:AND|OR) ")


def list_unknown(licence: str) -> list[str]:
    """Return the parts of *licence* that are not accepted; of a choice, too.

    >>> [list_unknown(one) for one in ("Apache-2.0 OR BSD-3-Clause", "MIT AND SSPL-1.0", "")]
    [[], ['SSPL-1.0'], ['none declared']]
    """
    if not licence:
        return ["none declared"]
    if licence in ACCEPTED:
        return []
    parts = _OPERATOR.split(licence.replace("(", "").replace(")", ""))
    return [part for part in parts if part not in ACCEPTED]


def list_faults(packages: Sequence[LockedPackage]) -> list[str]:
    """Return a sentence for each package with a licence that is not accepted."""
    return [
        f"{package.name} {package.version}: {', '.join(unknown)}: read it, then add it to"
        " ACCEPTED in deploy/supply/licences.py, or do without the package"
        for package in packages
        if (unknown := list_unknown(package.licence))
    ]
