"""Packages that only some roles need, and how they are installed."""

from collections.abc import Mapping

EXTRAS: Mapping[str, str] = {  # of pyproject.toml, by the package that is imported
    "aiosmtpd": "demo",
    "crc32c": "relay",
    "faust": "rules",
    "kafka": "relay",
    "psycopg": "alerts",
}


def explain_missing(package: str) -> str | None:
    """Return the command that installs *package*; None when no role leaves it out.

    >>> explain_missing("faust.app")
    "the package faust is not installed: pip install 'aegis[rules]'"
    >>> explain_missing("numpy")
    """
    root = package.partition(".")[0]
    extra = EXTRAS.get(root)
    if extra is None:
        return None
    return f"the package {root} is not installed: pip install 'aegis[{extra}]'"
