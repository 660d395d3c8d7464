"""``python -m deploy.supply sbom | audit | licences``: what the image is made of."""

import sys
from pathlib import Path

from deploy.supply.audit import list_vulnerabilities
from deploy.supply.licences import list_faults
from deploy.supply.locked_packages import LOCK, SupplyError, load_packages
from services.cli.shared.installed import find_installed_version


def main(word: str) -> int:
    """Do it; return 1 when something was found, 2 when it cannot be said."""
    try:
        return {"sbom": _print_bill, "audit": _print_audit, "licences": _print_licences}[word]()
    except SupplyError as error:
        print(f"{word}: {error}", file=sys.stderr)
        return 2


def _print_bill() -> int:
    from deploy.supply.bill_of_materials import write_bill  # noqa: PLC0415 (only this needs it)

    print(write_bill(load_packages(), find_installed_version() or "unknown"), end="")
    return 0


def _print_audit() -> int:
    lines = list_vulnerabilities(Path(sys.argv[2]) if len(sys.argv) > 2 else LOCK)  # noqa: PLR2004
    print("\n".join(lines) or "audited: nothing is known against any package")
    return int(bool(lines))


def _print_licences() -> int:
    packages = load_packages()
    for package in packages:
        print(f"{package.name} {package.version}: {package.licence or 'none declared'}")
    faults = list_faults(packages)
    for fault in faults:
        print(fault, file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
