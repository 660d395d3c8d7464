"""Each login does what its service does and nothing else; what names people only ingest reads."""

from types import SimpleNamespace

import psycopg
import pytest
from psycopg.errors import DatabaseError, InsufficientPrivilege
from psycopg.sql import SQL, Identifier

from deploy.local.places import free_port
from deploy.local.postgres import Postgres
from deploy.local.program import ServerError
from services.cli.command import CommandError
from services.cli.process.start_warnings import warn_of_login
from services.cli.shared.open_study import migrate, open_in
from services.runtime.standing_warnings import StandingWarnings
from services.runtime.store_settings import read_store_settings
from services.store import schema
from services.store.roles import BACKUP, GRANTS, SERVICES, VIEWS, name_role
from services.store.session import Database
from services.store.tables import metadata
from tests.helpers.installation import STUDY
from tests.helpers.servers import FreshDatabase, make_database, skip_without_server

TABLES = {table.name: [column.name for column in table.c] for table in metadata.sorted_tables}
TABLES["alembic_version"] = ["version_num"]
PRIVATE = ("raw_message", "identity", "api_key", "api_key_use", "refused_message")
CREDENTIALS = ("credential", "sign_in", "sign_in_attempt", "provider_visit")
LOGINS = (*SERVICES, *VIEWS, BACKUP)  # beside that of the owner

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def login_database(postgres_server):
    """A migrated database with its logins, which no test here changes."""
    postgres_server.start()
    with make_database(postgres_server) as database:
        postgres_server.make_logins(database.name)
        yield database


@pytest.fixture(scope="module")
def log_in(login_database):
    """Return a function that connects as ``aegis_LOGIN``, with its own password."""
    connections = {}

    def log_in(login):
        if login not in connections:
            url = login_database.login_url(login).replace("+psycopg", "")
            connections[login] = psycopg.connect(url, autocommit=True)
            # of readers, which is no wall: whoever reads can set it
            connections[login].execute("SET default_transaction_read_only = off")
        return connections[login]

    yield log_in
    for connection in connections.values():
        connection.close()


def statements(table, columns):
    """Yield each verb with a statement that needs its right and changes no row."""
    place = Identifier("public", table)
    yield "SELECT", SQL("SELECT count(*) FROM {}").format(place)
    insert = SQL("INSERT INTO {} ({}) SELECT NULL WHERE false")
    yield "INSERT", insert.format(place, Identifier(columns[0]))
    yield "DELETE", SQL("DELETE FROM {} WHERE false").format(place)
    for column in columns:
        update = SQL("UPDATE {} SET {} = NULL WHERE false")
        yield f"UPDATE {column}", update.format(place, Identifier(column))


def subject(text, *names):
    """The statement *text* with *names* in it."""
    return SQL(text).format(*map(Identifier, names))


def is_allowed(connection, statement):
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except InsufficientPrivilege:
        return False
    except DatabaseError:  # allowed, and no row
        return True
    return True


def declared_rights(login):
    """The rights of *login* by `GRANTS`: (table, verb), an update by its column."""
    if login == BACKUP:
        return {(table, "SELECT") for table in TABLES}
    results = set()
    for verbs, tables in GRANTS.get(login, {}).items():
        for table in tables:
            if verbs.startswith("UPDATE ("):
                columns = verbs.removeprefix("UPDATE (").rstrip(")").split(", ")
                results |= {(table.name, f"UPDATE {column}") for column in columns}
                continue
            for verb in verbs.split(", "):
                columns = TABLES[table.name] if verb == "UPDATE" else [""]
                results |= {(table.name, f"{verb} {column}".strip()) for column in columns}
    return results


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_may_do_what_is_declared_and_nothing_else(log_in, login):
    connection = log_in(login)
    allowed_rights = {
        (table, verb)
        for table, columns in TABLES.items()
        for verb, statement in statements(table, columns)
        if is_allowed(connection, statement)
    }
    assert allowed_rights == declared_rights(login)


@pytest.mark.parametrize("login", LOGINS)
def test_only_who_has_to_reads_what_names_people(log_in, login):
    connection = log_in(login)
    may = {
        table
        for table in PRIVATE
        if is_allowed(connection, subject("SELECT 1 FROM public.{}", table))
    }
    readers = {login: set(PRIVATE) for login in ("ingest", BACKUP)}
    # shown to whoever may see them; what is read again is matched to its participant
    readers["console"] = {"raw_message", "refused_message", "identity"}
    assert may == readers.get(login, set())


@pytest.mark.parametrize("login", LOGINS)
def test_only_the_console_and_a_backup_read_by_what_persons_sign_in(log_in, login):
    connection = log_in(login)
    may = {
        table
        for table in CREDENTIALS
        if is_allowed(connection, subject("SELECT 1 FROM public.{}", table))
    }
    assert may == (set(CREDENTIALS) if login in ("console", BACKUP) else set())


@pytest.mark.parametrize("login", LOGINS)
def test_a_login_reads_the_views_of_its_audience_and_no_other(log_in, login_database, login):
    connection = log_in(login)
    views = {
        name
        for (name,) in login_database.query(
            "SELECT viewname FROM pg_views WHERE schemaname = 'watch'"
        )
    }
    may = {one for one in views if is_allowed(connection, subject("SELECT 1 FROM watch.{}", one))}
    assert may == (views if login == BACKUP else set(VIEWS.get(login, ())))


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (a int)",
        "CREATE TABLE watch.mine (a int)",
        "CREATE TEMP TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TABLE public.lease",
        "TRUNCATE public.outbox",
        "ALTER TABLE public.fact ADD COLUMN a int",
        "CREATE RULE mine AS ON INSERT TO public.fact DO INSTEAD NOTHING",
        "CREATE ROLE somebody",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "SET ROLE aegis_owner",
        "SET ROLE aegis",
        "SET SESSION AUTHORIZATION aegis_owner",
        "SET session_replication_role = replica",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT passwd FROM pg_shadow",
        "GRANT SELECT ON public.episode TO PUBLIC",
    ],
)
def test_no_login_changes_the_tables_themselves_or_becomes_somebody_else(
    log_in, login_database, login, statement
):
    connection = log_in(login)
    is_refused = not is_allowed(connection, statement)
    if statement.startswith("GRANT"):  # who has a right is warned; nothing is granted
        query = "SELECT has_table_privilege('aegis_dsmb', 'public.episode', 'SELECT')"
        assert login_database.query(query) == [(False,)]
    else:
        assert is_refused


@pytest.mark.parametrize("login", LOGINS)
def test_no_login_acts_as_another(log_in, login):
    connection = log_in(login)
    for other_login in (*LOGINS, "owner"):
        if other_login != login:
            assert not is_allowed(connection, subject("SET ROLE {}", name_role(other_login)))


def test_none_is_a_superuser_and_none_a_member_of_another(login_database):
    rows = login_database.query(
        "SELECT rolname, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
        " FROM pg_roles WHERE rolname LIKE 'aegis\\_%%' AND rolcanlogin"
    )
    assert dict(rows) == {name_role(login): False for login in (*LOGINS, "owner")}
    members = login_database.query(
        "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members"
        " WHERE roleid::regrole::text LIKE 'aegis%%' OR member::regrole::text LIKE 'aegis%%'"
    )
    assert members == []


def test_the_owner_migrates_and_the_services_find_what_it_made(postgres, tmp_path):
    def settings(login, keys="keys"):
        url = postgres.login_url(login)
        return read_store_settings(
            data=tmp_path, keys=tmp_path / keys, database_url=url, study=STUDY
        )

    migrate(settings("owner")).db.close()
    for service in SERVICES:
        context = open_in(
            settings(service, "none" if service == "relay" else "keys"), service=service
        )
        with context.db.read() as conn:
            query = "SELECT session_user, current_user"
            assert set(conn.exec_driver_sql(query).one()) == {name_role(service)}
        context.db.close()
    members = postgres.query(
        "SELECT 1 FROM pg_auth_members WHERE member::regrole = 'aegis_owner'::regrole"
    )
    assert members == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_login_that_may_do_more_than_its_process_is_said(postgres, service):
    """The superuser may act as every service, as the one user of an older installation may."""
    problems = {}
    for login, url in (("own", postgres.login_url(service)), ("superuser", postgres.url)):
        db, warnings = Database.open(url, name_role(service)), StandingWarnings()
        warn_of_login(SimpleNamespace(context=SimpleNamespace(db=db), warnings=warnings), service)
        db.close()
        problems[login] = warnings.list_problems()
    assert problems["own"] == []
    (problem,) = problems["superuser"]
    assert problem.startswith(f"the database login aegis may do more than {service} does")


@pytest.mark.parametrize("login", ["owner", "relay", "backup"])
def test_a_login_runs_no_service_but_its_own(postgres, tmp_path, login):
    def settings(user):
        return read_store_settings(
            data=tmp_path, database_url=postgres.login_url(user), study=STUDY
        )

    migrate(settings("owner")).db.close()
    with pytest.raises(CommandError, match=r"^cannot use the database|may not do this") as refusal:
        open_in(settings(login), service="rules")
    assert "permission denied" in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_every_table_has_a_service_that_writes_it():
    written_rows = {
        table
        for service in SERVICES
        for table, verb in declared_rights(service)
        if verb.split()[0] in ("INSERT", "UPDATE", "DELETE")
    }
    # of whoever owns the tables
    by_commands = {
        "alembic_version",
        "api_key",
        "installation_key",
        "protocol_version",
        "rules_alias",
    }
    assert set(TABLES) - written_rows == by_commands


@pytest.fixture
def new_server(servers_folder):
    """A server on which nobody has made a login or a role."""
    with skip_without_server():
        server = Postgres(servers_folder / "own", free_port(), durable=False)
    try:
        yield server.start()
    finally:
        server.erase()


@pytest.mark.slow
def test_an_installation_of_one_user_becomes_one_of_logins(new_server):
    database = FreshDatabase(new_server, "aegis")
    database.query("CREATE ROLE somebody LOGIN CREATEROLE PASSWORD 'x'")
    database.query("ALTER DATABASE aegis OWNER TO somebody")
    database.query("CREATE ROLE grafana_safety LOGIN PASSWORD 'x'")
    one_user = new_server.url().replace("aegis:", "somebody:", 1)
    one_user = (
        one_user[: one_user.index("somebody:")] + "somebody:x" + one_user[one_user.index("@") :]
    )
    db = Database.open(one_user)
    schema.upgrade(db)
    db.close()
    acting_db = Database.open(one_user, name_role("ingest"))
    with acting_db.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM raw_message").scalar() == 0
    acting_db.close()
    database.query("GRANT aegis_safety TO grafana_safety")
    for _ in range(2):
        new_server.make_logins()
    owner = Database.open(database.login_url("owner"))
    schema.upgrade(owner)
    owner.close()
    assert (
        database.query("SELECT 1 FROM pg_auth_members WHERE roleid::regrole::text LIKE 'aegis%%'")
        == []
    )
    assert database.query("SELECT 1 FROM pg_roles WHERE rolname LIKE 'grafana%%'") == []
    owners = database.query(
        "SELECT DISTINCT relowner::regrole::text FROM pg_class JOIN pg_namespace n"
        " ON n.oid = relnamespace WHERE nspname IN ('public', 'watch')"
    )
    assert owners == [("aegis_owner",)]
    with psycopg.connect(database.login_url("safety").replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM watch.person").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match=r"[Pp]ermission denied|CONNECT"):
        psycopg.connect(one_user.replace("+psycopg", ""))


@pytest.mark.slow
def test_a_login_without_a_password_ends_the_script(new_server):
    new_server.make_logins()
    (new_server.folder / "secrets" / "database_rules_password").write_text("")
    with pytest.raises(ServerError, match="aegis_rules has no password"):
        new_server.make_logins()
    password = "it's 2nd"  # noqa: S105 - a quote in it is the point
    (new_server.folder / "secrets" / "database_rules_password").write_text(f"{password}\n")
    new_server.make_logins()
    address = new_server.url().partition("@")[2].partition("/")[0]
    host, _, port = address.partition(":")
    psycopg.connect(
        host=host, port=port, dbname="aegis", user="aegis_rules", password=password
    ).close()
