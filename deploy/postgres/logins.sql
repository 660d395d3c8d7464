-- The logins of the two Grafanas, members of the roles that `aegis migrate` makes. Again is no change,
-- but for a new password. For psql, as the owner of the database; $SECRETS is the folder of the passwords.
\set ON_ERROR_STOP on
\set safety `cat "$SECRETS/grafana_safety_password"`
\set dsmb `cat "$SECRETS/grafana_dsmb_password"`

SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['grafana_safety', 'grafana_dsmb']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE grafana_safety LOGIN PASSWORD :'safety';
ALTER ROLE grafana_dsmb LOGIN PASSWORD :'dsmb';
GRANT aegis_safety TO grafana_safety;
GRANT aegis_dsmb TO grafana_dsmb;

-- To compile the queries of a dashboard takes longer than to run them.
ALTER ROLE grafana_safety SET jit = off;
ALTER ROLE grafana_dsmb SET jit = off;
