-- The logins of the database: one for each service, for each audience of views, for backups, and for
-- the owner of the tables, who migrates and runs the commands of operators. None is a superuser, and
-- none a member of another. `aegis migrate`, as the owner, says what each may do.
-- For psql, as a superuser, before the first `aegis migrate`, and again for a new password or after an
-- upgrade that adds a login. $SECRETS is the folder of the passwords, one file for each login.
\set ON_ERROR_STOP on
SET log_statement = 'none'; -- passwords
\set owner `cat "$SECRETS/database_owner_password"`
\set ingest `cat "$SECRETS/database_ingest_password"`
\set relay `cat "$SECRETS/database_relay_password"`
\set rules `cat "$SECRETS/database_rules_password"`
\set alerts `cat "$SECRETS/database_alerts_password"`
\set console `cat "$SECRETS/database_console_password"`
\set board `cat "$SECRETS/database_board_password"`
\set backup `cat "$SECRETS/database_backup_password"`
\set safety `cat "$SECRETS/database_safety_password"`
\set dsmb `cat "$SECRETS/database_dsmb_password"`

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
SELECT statement
FROM (VALUES
  ('aegis_owner', :'owner'),
  ('aegis_ingest', :'ingest'),
  ('aegis_relay', :'relay'),
  ('aegis_rules', :'rules'),
  ('aegis_alerts', :'alerts'),
  ('aegis_console', :'console'),
  ('aegis_board', :'board'),
  ('aegis_backup', :'backup'),
  ('aegis_safety', :'safety'),
  ('aegis_dsmb', :'dsmb')
) AS login (name, password)
CROSS JOIN LATERAL (VALUES
  (1, CASE WHEN password = '' THEN format('DO $$BEGIN RAISE ''%s has no password''; END$$', name) END),
  (2, CASE WHEN to_regrole(name) IS NULL THEN format('CREATE ROLE %I', name) END),
  (3, format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L', name, password)),
  (4, format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name))
) AS step (number, statement)
ORDER BY number, name \gexec

-- Of earlier versions: memberships, logins of the Grafanas, and tables that a superuser owns.
SELECT format('REVOKE %I FROM %I', granted.rolname, member.rolname)
FROM pg_auth_members
JOIN pg_roles AS granted ON granted.oid = roleid
JOIN pg_roles AS member ON member.oid = pg_auth_members.member
WHERE granted.rolname LIKE 'aegis\_%' OR member.rolname LIKE 'aegis\_%' \gexec
DROP ROLE IF EXISTS grafana_safety, grafana_dsmb;
ALTER DATABASE :"DBNAME" OWNER TO aegis_owner;
ALTER SCHEMA public OWNER TO aegis_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('ALTER SCHEMA %I OWNER TO aegis_owner', nspname) FROM pg_namespace WHERE nspname = 'watch' \gexec
SELECT format('ALTER %s %I.%I OWNER TO aegis_owner', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname IN ('public', 'watch') AND relkind IN ('r', 'v') \gexec

-- Who draws dashboards only reads, and not for long; to compile the queries takes longer than to run them.
SELECT format('ALTER ROLE %I SET %s', name, setting)
FROM unnest(ARRAY['aegis_board', 'aegis_safety', 'aegis_dsmb']) AS name,
  unnest(ARRAY['jit = off', 'statement_timeout = ''60s''', 'default_transaction_read_only = on']) AS setting \gexec
