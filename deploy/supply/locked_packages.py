"""The packages that the image installs (`requirements.lock`), as they describe themselves."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK: Final = Path(__file__).parents[2] / "requirements.lock"
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_LONGEST_NAME = 60  # of a licence; more is its text
_WITHOUT_EXTRA = {"extra": ""}


class SupplyError(Exception):
    """It cannot be said what the image is made of; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """One package of the lock.

    Args:
        name: In canonical spelling.
        version: The one that is pinned.
        sha256: Of each file from which it may be installed.
        licence: As the package declares it: an SPDX expression or a name; empty: it declares none.
        requires: Names of the packages of the lock that it needs.
    """

    name: str
    version: str
    sha256: tuple[str, ...]
    licence: str
    requires: tuple[str, ...]


def read_lock(text: str) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Return version and hashes by canonical name.

    >>> read_lock(f"PyYAML==6.0 --hash=sha256:{64 * '0'}")["pyyaml"][0]
    '6.0'

    Raises:
        SupplyError: There is no package in it, or one without a hash.
    """
    pins = list(_PIN.finditer(text))
    ends = [*(pin.start() for pin in pins), len(text)][1:]
    packages: dict[str, tuple[str, tuple[str, ...]]] = {
        canonicalize_name(pin["name"]): (
            pin["version"],
            tuple(_HASH.findall(text, pin.end(), end)),
        )
        for pin, end in zip(pins, ends, strict=True)
    }
    if not packages:
        raise SupplyError("the lock names no package: make it anew with `make lock`")
    for name, (version, hashes) in packages.items():
        if not hashes:
            raise SupplyError(f"{name} {version} has no hash in the lock: `make lock`")
    return packages


def load_packages(lock: Path = LOCK) -> list[LockedPackage]:
    """Return the packages of *lock*, described by what is installed here.

    Raises:
        SupplyError: One is not installed here, or in another version.
    """
    pins = read_lock(lock.read_text())
    return [
        LockedPackage(
            name,
            version,
            hashes,
            declared_licence(description := _find_installed(name, version).metadata),
            tuple(_list_required(description, pins)),
        )
        for name, (version, hashes) in sorted(pins.items())
    ]


def declared_licence(description: metadata.PackageMetadata) -> str:
    """Return the licence that the metadata *description* declare; empty: none.

    An SPDX expression first, then a short name, then a classifier: some packages write the whole
    text of their licence into the field of its name.
    """
    expression, name = (
        str(description[key] or "").strip() for key in ("License-Expression", "License")
    )
    if expression:
        return expression
    if name and len(name) <= _LONGEST_NAME and "\n" not in name:
        return name
    classifiers = description.get_all("Classifier") or []
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
    return " AND ".join(names)


def _find_installed(name: str, version: str) -> metadata.Distribution:
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise SupplyError(f"{name} of the lock is not installed here: `make setup`") from None
    if package.version != version:
        raise SupplyError(f"{name} is {package.version} here, and {version} in the lock")
    return package


def _list_required(
    description: metadata.PackageMetadata, pins: Mapping[str, object]
) -> Iterator[str]:
    requirements = map(Requirement, description.get_all("Requires-Dist") or [])
    names = {
        canonicalize_name(one.name)
        for one in requirements
        if one.marker is None or one.marker.evaluate(_WITHOUT_EXTRA)
    }
    yield from sorted(names & pins.keys())
