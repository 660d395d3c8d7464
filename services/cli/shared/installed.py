"""The package as it is installed on this machine."""

from importlib.metadata import PackageNotFoundError, version


def find_installed_version() -> str | None:
    """Return the version of the installed package; None: it is not installed."""
    try:
        return version("aegis")
    except PackageNotFoundError:
        return None
