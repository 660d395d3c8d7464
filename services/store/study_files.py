"""The files by which a study runs: their contents by hash, and each activation of a set of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, select

from services.store import audit
from services.store.tables import study_activation, study_file
from services.store.wakeups import STUDY_ACTIVATED, notify_channel

_ACTIVATION_LOCK = 0x41656767  # an advisory lock; that of migrations is another


@dataclass(frozen=True, slots=True)
class StudyActivation:
    """The files by which *study* runs from *activated_at* on.

    A signature over the same files, or another mapping of a code, is one too.

    Args:
        id: A uuid.
        study: Id.
        activated_at: Aware.
        act: Id of the act.
        files: sha256 of each file, by its name in the folder of the study.
        criteria: Name of the table of criteria.
        rules_version: Of protocol, criteria and code together.
    """

    id: str
    study: str
    activated_at: datetime
    act: str
    files: Mapping[str, str]
    criteria: str
    rules_version: str


def lock_activations(conn: Connection) -> None:
    """Let no other transaction activate anything until that of *conn* ends."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_ACTIVATION_LOCK)))


def append_activation(
    conn: Connection, activation: StudyActivation, contents: Mapping[str, str], actor: str
) -> None:
    """Append *activation*, audited as done by *actor*, and the *contents* of its files by name."""
    by_hash = {hash_content(content): content for content in contents.values()}
    known_hashes = set(
        conn.scalars(select(study_file.c.sha256).where(study_file.c.sha256.in_(list(by_hash))))
    )
    rows = [
        {"sha256": digest, "content": content}
        for digest, content in sorted(by_hash.items())
        if digest not in known_hashes
    ]
    audit.insert_audited(conn, study_file, rows, actor=actor)
    row = {
        "id": activation.id,
        "study": activation.study,
        "activated_at": activation.activated_at,
        "act": activation.act,
        "files": json.dumps(dict(activation.files), sort_keys=True),
        "criteria": activation.criteria,
        "rules_version": activation.rules_version,
    }
    audit.insert_audited(conn, study_activation, [row], actor=actor)
    notify_channel(conn, STUDY_ACTIVATED)


def find_newest_activation(conn: Connection, study: str) -> str:
    """Return the id of the newest activation of *study*; empty: there is none."""
    table = study_activation.c
    query = select(table.id).where(table.study == study)
    query = query.order_by(table.activated_at.desc(), table.id.desc()).limit(1)
    return conn.scalar(query) or ""


def load_activations(conn: Connection, study: str) -> list[StudyActivation]:
    """Return the activations of *study*, the oldest first."""
    table = study_activation.c
    query = select(study_activation).where(table.study == study)
    query = query.order_by(table.activated_at, table.id)
    return [
        StudyActivation(**{**row, "files": json.loads(row["files"])})
        for row in conn.execute(query).mappings()
    ]


def load_files(conn: Connection, activation: StudyActivation) -> Mapping[str, str]:
    """Return the contents of the files of *activation*, by name."""
    hashes = list(activation.files.values())
    query = select(study_file.c.sha256, study_file.c.content).where(study_file.c.sha256.in_(hashes))
    contents = {row.sha256: row.content for row in conn.execute(query)}
    return {name: contents[digest] for name, digest in activation.files.items()}


def hash_content(content: str) -> str:
    """Return the sha256 of the text of a file."""
    return sha256(content.encode()).hexdigest()
