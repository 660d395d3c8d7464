"""The contents of the protocol files of a study, by their hash."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services.store import audit, study_files
from services.store.tables import protocol_version

_PROTOCOL = "protocol.yaml"


@dataclass(frozen=True, slots=True)
class ProtocolVersion:
    """The content of a protocol file by which the study runs from *activated_at* on."""

    sha256: str
    study: str
    version: str
    activated_at: datetime
    content: str


def keep_protocol(
    conn: Connection, protocol: ProtocolVersion, *, actor: str = audit.SERVICE
) -> bool:
    """Insert *protocol*; return False when a file of this hash exists already."""
    if load_protocol(conn, protocol.sha256) is not None:
        return False
    audit.insert_audited(conn, protocol_version, [asdict(protocol)], actor=actor)
    return True


def load_protocol(conn: Connection, sha256: str) -> ProtocolVersion | None:
    """Return the file of this hash; None when there is none."""
    query = select(protocol_version).where(protocol_version.c.sha256 == sha256)
    row = conn.execute(query).mappings().one_or_none()
    return None if row is None else ProtocolVersion(**row)


def load_active_protocol(conn: Connection, study: str) -> ProtocolVersion | None:
    """Return the file by which *study* runs; None: none was activated."""
    activations = study_files.load_activations(conn, study)
    if activations and (digest := activations[-1].files.get(_PROTOCOL)):
        return load_protocol(conn, digest)
    return next(reversed(load_protocol_versions(conn, study)), None)  # of an earlier release


def load_study_ids(conn: Connection) -> set[str]:
    """Return the studies whose protocols are kept."""
    return set(conn.scalars(select(protocol_version.c.study).distinct()))


def load_protocol_versions(conn: Connection, study: str) -> list[ProtocolVersion]:
    """Return the files of *study*, in the order in which they were activated."""
    table = protocol_version.c
    query = select(protocol_version).where(table.study == study)
    query = query.order_by(table.activated_at, table.version)
    return [ProtocolVersion(**row) for row in conn.execute(query).mappings()]
