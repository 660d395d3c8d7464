"""No panel of a dashboard reads every fact: the plans of its queries over a large study."""

import psycopg
import pytest

from benchmarks.stored_crowd import STUDY, fill_study
from services.store.roles import name_role
from tests.helpers.dashboards import AUDIENCES, list_panel_queries, list_variable_queries
from tests.helpers.servers import make_database

pytestmark = [pytest.mark.server, pytest.mark.slow]
QUERIES = [
    one for one in (*list_panel_queries(), *list_variable_queries()) if one.source in AUDIENCES
]
FACTS = 1200  # of each participant
VALUES = {"study": STUDY, "participant": "P-00007", "rule": "S1"}


@pytest.fixture(scope="module")
def crowd(postgres_server):
    """A database with 300,000 facts."""
    with make_database(postgres_server) as database:
        url = database.url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            fill_study(connection, people=250, facts=FACTS)
        yield url


def list_nodes(plan):
    """A plan and all of its parts."""
    return [plan, *(node for part in plan.get("Plans", ()) for node in list_nodes(part))]


def list_large_reads(connection, sql):
    """The reads of facts, of more than two participants have."""
    (([plan],),) = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchall()
    return [
        (node["Node Type"], node["Plan Rows"])
        for node in list_nodes(plan["Plan"])
        if node.get("Relation Name") == "fact"
        and (node["Node Type"] == "Seq Scan" or node["Plan Rows"] > 2 * FACTS)
    ]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_no_query_reads_every_fact(query, crowd):
    with psycopg.connect(crowd) as connection:
        connection.execute("SET jit = off")
        connection.execute(f"SET ROLE {name_role(query.audience)}")
        assert list_large_reads(connection, query.sql(VALUES)) == []


def test_one_that_does_is_seen(crowd):
    with psycopg.connect(crowd) as connection:
        for query in ("SELECT max(payload) FROM fact", "SELECT * FROM watch.drug_mark"):
            assert list_large_reads(connection, query)
