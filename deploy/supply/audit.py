"""Known vulnerabilities of the image's packages, by pip-audit; silence is no answer."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.supply.locked_packages import LOCK, SupplyError, read_lock

_PROGRAM = (sys.executable, "-m", "pip_audit")
# The lock names every package and every hash: nothing has to be resolved.
_WORDS = ("--vulnerability-service=osv", "--format=json", "--progress-spinner=off")
_LOCK_WORDS = ("--disable-pip", "--require-hashes")
_LIMIT_S = 600


def list_vulnerabilities(lock: Path = LOCK) -> list[str]:
    """Return a line for each vulnerability that is known of a package in *lock*.

    ``PIP_AUDIT_OSV_URL`` names another source than that of pip-audit.

    Raises:
        SupplyError: The source does not answer for every package: nothing is known.
    """
    pins = read_lock(lock.read_text())
    command = [*_PROGRAM, *_WORDS, *_LOCK_WORDS, f"--requirement={lock}"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise SupplyError(f"not audited: no answer in {_LIMIT_S} s") from error
    packages = _read_answer(answer.stdout)
    audited_names = {package["name"] for package in packages if "vulns" in package}
    if silent_names := pins.keys() - audited_names:
        reason = _last_line(answer.stderr)
        raise SupplyError(f"not audited: {len(silent_names)} of {len(pins)} packages ({reason})")
    return list(_describe(packages))


def _read_answer(text: str) -> Sequence[Mapping[str, Any]]:
    """Return what pip-audit says of each package; nothing when it ended before it could."""
    try:
        packages: Sequence[Mapping[str, Any]] = json.loads(text)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return []
    return packages


def _describe(packages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for package in packages:
        for vulnerability in package["vulns"]:
            versions = ", ".join(vulnerability["fix_versions"]) or "no version"
            name = f"{package['name']} {package['version']}"
            yield f"{name}: {vulnerability['id']}, mended in {versions}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "pip-audit said nothing"
