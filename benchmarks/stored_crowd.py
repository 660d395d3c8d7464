"""A large study in PostgreSQL, written by the server itself: rows as the services leave them."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
from msgspec.structs import replace

from services.runtime import wire
from services.vocabulary.clinical_fact import Action, Administration, Observation
from services.vocabulary.fact import Body, Fact
from services.vocabulary.quantity import Quantity

STUDY = "CROWD"

_STATEMENTS = (
    """
    INSERT INTO protocol_version (sha256, study, version, activated_at, content)
    VALUES ('0', %(study)s, '1', '2026-01-01T00:00:00.000000Z',
            E'criteria: ctcae-5.0\\nstudy_drug: blinatumomab\\n')
    """,
    """
    INSERT INTO participant (subject, study, site, added_at, last_seq, last_received_at)
    SELECT 'P-' || lpad(n::text, 5, '0'), %(study)s, 'west', '2026-01-01T00:00:00.000000Z',
           %(facts)s, '2026-06-01T00:00:00.000000Z'
      FROM generate_series(1, %(people)s) AS n
    """,
    """
    INSERT INTO participant_state (subject, folded_through, version, rules_version, digest, error)
    SELECT subject, last_seq, 1, 'r', 'd', '' FROM participant
    """,
    """
    INSERT INTO participant_milestones (subject, survivor, graft_at, first_infusion_at)
    SELECT subject, subject, '2026-01-05T10:00:00.000000Z', '2026-03-12T15:00:00.000000Z'
      FROM participant
    """,
    # ten facts of a message, of which one is no observation
    """
    INSERT INTO fact (subject, seq, id, message, received_at, observed_at, kind, payload)
    SELECT subject, seq, gen_random_uuid()::text, subject || '-' || seq / 10, at, at,
           CASE WHEN seq %% 10 = 0 THEN 'administration' ELSE 'observation' END,
           replace(CASE WHEN seq %% 10 = 0 THEN %(dose)s ELSE %(result)s END,
                   '|7|', '|' || seq || '|')
      FROM participant
     CROSS JOIN generate_series(1, last_seq) AS seq
     CROSS JOIN LATERAL (
           SELECT to_char(timestamp '2026-03-01' + seq * interval '1 hour',
                          'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at) AS dated
    """,
    # one in twenty is replaced by a later report
    """
    INSERT INTO fact_place (subject, fact, is_promoted)
    SELECT subject, id, false FROM fact WHERE seq %% 20 = 1
    """,
)


def fill_study(connection: psycopg.Connection, people: int, facts: int) -> None:
    """Store so many *people* with so many *facts* each, all folded, in an empty migrated database.

    *connection* commits each statement.
    """
    values = {
        "study": STUDY,
        "people": people,
        "facts": facts,
        "dose": _write_fact(Administration("dexamethasone", Action.DOSE)),
        "result": _write_fact(Observation("sbp", Quantity(Decimal(120), "mm[Hg]"))),
    }
    for statement in _STATEMENTS:
        connection.execute(statement, values)
    connection.execute("VACUUM ANALYZE")


def _write_fact(body: Body) -> str:
    instant = datetime(2026, 3, 1, tzinfo=UTC)
    fact = Fact("f", "P-00001", instant, instant, body, "d" * 64, series="LAB|7|sbp|")
    return wire.write_fact(replace(fact, visit="v" * 32)).decode()
