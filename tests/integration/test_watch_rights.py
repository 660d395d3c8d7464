"""Each role sees of the watch views only what it may, and writes nothing."""

import json
import re

import psycopg
import pytest

from services.store import schema
from services.store.roles import VIEWS
from services.store.session import Database
from services.store.tables import metadata
from tests.helpers.watched_trial import DATE, identifiers

pytestmark = [pytest.mark.server, pytest.mark.slow]


def read_every_view(watched_trial, audience):
    """All that *audience* can read, by view, as text."""
    queries = {view: f"SELECT * FROM watch.{view}" for view in VIEWS[audience]}  # noqa: S608 - names of VIEWS
    return {
        view: json.dumps(watched_trial.read_rows(audience, query), default=str)
        for view, query in queries.items()
    }


def test_neither_sees_an_identifier(watched_trial):
    names = {name for one in watched_trial.trial.messages for name in identifiers(one.decode())}
    names.discard("")
    assert len(names) > 10
    for audience in VIEWS:
        page_text = "\n".join(read_every_view(watched_trial, audience).values())
        assert not [name for name in names if re.search(rf"\b{re.escape(name)}\b", page_text)]


def test_the_dsmb_sees_no_site_and_no_date(watched_trial):
    sites = {site for (site,) in watched_trial.read_rows("safety", "SELECT site FROM watch.person")}
    assert len(sites) > 1
    for view, page in read_every_view(watched_trial, "dsmb").items():
        assert page != "[]", view
        assert not DATE.search(page), view
        assert not [site for site in sites if f'"{site}"' in page], view


def test_every_view_of_the_safety_officer_says_something(watched_trial):
    assert all(shown != "[]" for shown in read_every_view(watched_trial, "safety").values())


@pytest.mark.parametrize("audience", VIEWS)
def test_no_table_and_no_view_of_others_can_be_read(audience, watched_trial):
    with psycopg.connect(watched_trial.url.replace("+psycopg", "")) as connection:
        views = [
            f"watch.{name}"
            for (name,) in connection.execute(
                "SELECT viewname FROM pg_views WHERE schemaname = 'watch'"
            )
            if name not in VIEWS[audience]
        ]
    assert views
    for name in (*views, *(f"public.{table}" for table in metadata.tables)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            watched_trial.read_rows(audience, f"SELECT 1 FROM {name}")  # noqa: S608 - names of ours


@pytest.mark.parametrize("audience", VIEWS)
def test_nothing_can_be_written(audience, watched_trial):
    with pytest.raises(psycopg.Error):
        watched_trial.read_rows(audience, "DELETE FROM watch.cut")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        watched_trial.read_rows(audience, "CREATE TABLE watch.mine (x int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        watched_trial.read_rows(audience, "CREATE TABLE public.mine (x int)")


def test_the_views_leave_the_tables_as_they_are_declared(postgres):
    db = Database.open(postgres.url)
    with db.write() as conn:
        schema.check_tables(conn)
    db.close()
