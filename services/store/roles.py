"""Database roles on PostgreSQL: the rights of each service, of each audience, and of backups.

A role can be a login (``deploy/postgres/logins.sql``): then whoever connects has its rights and no
way to others. Where the owner of the tables has to connect for every service, `grant_all` makes
roles without a login that the owner may act as.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import ColumnClause, Connection, MetaData, Table, select, text
from sqlalchemy import column as column_named
from sqlalchemy import table as table_named

from services.store import tables as t

SERVICES: Final = ("ingest", "relay", "rules", "alerts", "console")
BACKUP: Final = "backup"  # reads everything, as it is stored, and writes nothing

# they name people, admit a sender, or hold what an unknown sender wrote
_PRIVATE = (t.raw_message, t.identity, t.api_key, t.api_key_use, t.refused_message)
# they prove who a person is
_CREDENTIALS = (t.credential, t.sign_in, t.sign_in_attempt, t.provider_visit)
_OPEN = tuple(one for one in t.metadata.sorted_tables if one not in (*_PRIVATE, *_CREDENTIALS))
_VERSION = Table("alembic_version", MetaData())  # the table of Alembic
# a process reads them when it starts
_START = (_VERSION, t.protocol_version, t.installation_key, t.study_file, t.study_activation)
_SELECT, _ADD, _APPEND = "SELECT", "INSERT", "SELECT, INSERT"
_CHANGE, _KEEP = "SELECT, INSERT, UPDATE", "SELECT, INSERT, UPDATE, DELETE"

# The rights of each service; the database refuses everything else.
GRANTS: Final[Mapping[str, Mapping[str, tuple[Table, ...]]]] = {
    "ingest": {
        _SELECT: (*_PRIVATE, *_START, t.participant, t.parked, t.fact),
        _APPEND: (t.raw_message, t.identity, t.fact, t.refused_message),
        _CHANGE: (t.parked, t.participant, t.api_key_use),
        "UPDATE (key_id, body)": (t.raw_message,),
        _KEEP: (t.lease,),
        _ADD: (t.outbox, t.audit),
    },
    "relay": {
        _SELECT: _START,
        _KEEP: (t.lease,),
        "SELECT, DELETE": (t.outbox,),
        _ADD: (t.audit,),
    },
    "rules": {
        _SELECT: (*_OPEN, *_START),
        "UPDATE (told_until)": (t.participant,),
        _APPEND: (t.episode, t.standing, t.decision, t.audit, t.audit_seal),
        _CHANGE: (
            t.participant_state,
            t.participant_advice,
            t.participant_queries,
            t.study_state,
            t.alert,
            t.heartbeat,
        ),
        _KEEP: (t.timer, t.lease, t.fact_place, t.participant_milestones),
        _ADD: (t.outbox,),
    },
    "alerts": {
        _SELECT: (*_OPEN, *_START),
        _APPEND: (t.acknowledgement, t.act),
        _CHANGE: (
            t.delivery,
            t.alert,
            t.alert_state,
            t.heartbeat,
        ),  # alerts of silences and of clocks
        _KEEP: (t.lease,),
        _ADD: (t.audit, t.outbox),
    },
    # persons act there: what they enter is appended to the journal, as by ingest
    "console": {
        _SELECT: (*_OPEN, *_START, *_CREDENTIALS, t.raw_message, t.identity, t.refused_message),
        _APPEND: (
            *(t.raw_message, t.fact, t.act, t.acknowledgement, t.sign_in_attempt),
            *(t.alert_act, t.link_revocation, t.seriousness, t.study_file, t.study_activation),
        ),
        _CHANGE: (t.participant, t.parked, t.person, t.credential, t.sign_in, t.sae_clock),
        _KEEP: (t.lease, t.person_role, t.provider_visit),
        _ADD: (t.outbox, t.audit),
    },
}

# Each audience may read these views (migration 0003) and no table. The safety officer sees
# pseudonyms, sites and dates; the DSMB sees neither sites nor dates.
_FOR_ALL = (
    "dsmb_adverse_event",
    "dsmb_boundary",
    "dsmb_cut",
    "dsmb_event",
    "dsmb_history",
    "dsmb_rule",
    "dsmb_sensitivity",
)
VIEWS: Final[Mapping[str, tuple[str, ...]]] = {
    "board": (*_FOR_ALL, "dsmb_alert"),  # the console's pages for the DSMB
    "dsmb": _FOR_ALL,
    "safety": (
        *_FOR_ALL,
        "alert",
        "cut",
        "drug_mark",
        "grade_mark",
        "grade_stretch",
        "participant_by_week",
        "person",
        "record",
        "sign",
        "term_by_week",
    ),
}
_SEQUENCED_TABLES = (t.audit, t.outbox, t.sign_in_attempt)  # their ids are counted by a sequence


def name_role(service: str) -> str:
    """Return the database role of *service*, of an audience of `VIEWS`, or of `BACKUP`.

    >>> name_role("ingest")
    'aegis_ingest'
    """
    return f"aegis_{service}"


def find_login(conn: Connection) -> str:
    """Return the role that logged in, whatever role the connection acts as."""
    return str(conn.scalar(text("SELECT session_user")))


def grant_all(conn: Connection) -> None:
    """Give the roles exactly the rights of `GRANTS` and `VIEWS`; create those that are missing.

    The user may act as a role that nobody can log in as, and as no other.

    Raises:
        sqlalchemy.exc.DBAPIError: The user may not create roles or does not own the tables.
    """
    statements = {service: _statements(service) for service in SERVICES}
    statements |= {audience: _view_statements(audience) for audience in VIEWS}
    statements[BACKUP] = _backup_statements()
    for name, grants in statements.items():
        role = name_role(name)
        can_log_in = _can_log_in(conn, role)
        if can_log_in is None:
            conn.execute(text(f'CREATE ROLE "{role}" NOLOGIN'))
        if not can_log_in:
            conn.execute(text(f'GRANT "{role}" TO CURRENT_USER'))
        for statement in grants:
            conn.execute(text(statement))


def _can_log_in(conn: Connection, role: str) -> bool | None:
    """Return True if somebody can log in as *role*; None: there is no such role."""
    name: ColumnClause[str] = column_named("rolname")
    is_login: ColumnClause[bool] = column_named("rolcanlogin")
    query = select(is_login).select_from(table_named("pg_roles", name, is_login))
    return conn.scalar(query.where(name == role))


def _statements(service: str) -> Iterator[str]:
    role = name_role(service)
    yield f'GRANT USAGE ON SCHEMA public TO "{role}"'
    yield f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"'
    for verbs, granted_tables in GRANTS[service].items():
        names = ", ".join(f'"{one.name}"' for one in granted_tables)
        yield f'GRANT {verbs} ON {names} TO "{role}"'
    for table in _SEQUENCED_TABLES:
        yield f'GRANT USAGE ON SEQUENCE "{table.name}_id_seq" TO "{role}"'


def _view_statements(audience: str) -> Iterator[str]:
    role = name_role(audience)
    for schema in ("public", "watch"):
        yield f'REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM "{role}"'
    yield f'GRANT USAGE ON SCHEMA watch TO "{role}"'
    names = ", ".join(f'watch."{name}"' for name in VIEWS[audience])
    yield f'GRANT SELECT ON {names} TO "{role}"'


def _backup_statements() -> Iterator[str]:
    role = name_role(BACKUP)
    for schema in ("public", "watch"):
        yield f'GRANT USAGE ON SCHEMA {schema} TO "{role}"'
        yield f'REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM "{role}"'
        yield f'GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO "{role}"'
    yield f'GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO "{role}"'
