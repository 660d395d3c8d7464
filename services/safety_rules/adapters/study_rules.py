"""A study's folder and the criteria that it names, together: all that the rules run by."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from services.safety_rules.adapters.criteria_files import TABLES, CriteriaTable, load_table
from services.safety_rules.adapters.protocol_files import (
    PROTOCOL,
    ProtocolFileError,
    Study,
    load_study,
)
from services.safety_rules.domain.name_faults import name_faults
from services.safety_rules.domain.rules import Rules

_CODE = (files("services.vocabulary"), files("services.safety_rules") / "domain")


@dataclass(frozen=True, slots=True)
class StudyRules:
    """What runs, and the files that it was read from."""

    rules: Rules
    study: Study
    table: CriteriaTable


def load_rules(folder: Path, name: str = PROTOCOL) -> StudyRules:
    """Return what the study in *folder* runs by; its protocol is the file called *name*.

    Its version is the hash of the code, the criteria and the protocol: it changes with any of them.

    Raises:
        ProtocolFileError: A file of the study cannot be trusted, or names what its criteria lack.
        CriteriaFileError: A criteria file cannot be trusted.
    """
    study = load_study(folder, name)
    table = load_table(_known(study.protocol.criteria, name))
    parts = (_code(), table.sha256, sha256(study.content).hexdigest())
    version = sha256("|".join(parts).encode()).hexdigest()[:16]
    rules = Rules(study.protocol, table.compiled, table.terms, version)
    for field, problem in name_faults(rules):
        raise ProtocolFileError(name, field, problem)
    return StudyRules(rules, study, table)


def _known(table: str, file: str) -> str:
    known = sorted(one.name for one in TABLES.iterdir() if one.is_dir())
    if table not in known:
        problem = f"{table!r} is no table; it is one of: {', '.join(known)}"
        raise ProtocolFileError(file, "criteria", problem)
    return table


def _code() -> str:
    digest = sha256()
    for place in _CODE:
        for name, content in sorted(_sources(place, "")):
            digest.update(f"{name}:{len(content)}:".encode() + content)
    return digest.hexdigest()


def _sources(place: Traversable, at: str) -> list[tuple[str, bytes]]:
    found = []
    for one in place.iterdir():
        if one.is_dir():
            found += _sources(one, f"{at}{one.name}/")
        elif one.name.endswith(".py"):
            found.append((f"{at}{one.name}", one.read_bytes()))
    return found
