-- A drug from when it was started or given; null in `says` from when it no longer runs. A single
-- dose is drawn for an hour, so that it is seen.
CREATE OR REPLACE VIEW watch.drug_mark AS
WITH given AS NOT MATERIALIZED (  -- so that one participant's are read
    SELECT fact.participant,
           fact.observed_at AS at,
           fact.body ->> 'drug' AS drug,
           fact.body ->> 'action' AS action,
           coalesce((fact.body #>> '{dose,value}') || ' ' || (fact.body #>> '{dose,unit}'), 'given')
               AS dose,
           (fact.body ->> 'scheduled')::boolean AS scheduled
      FROM watch.standing_fact AS fact WHERE fact.kind = 'administration'
)
SELECT participant, at, drug,
       CASE WHEN action = 'stop' THEN NULL
            ELSE dose || CASE WHEN scheduled THEN ' (scheduled)' ELSE '' END END AS says
  FROM given
UNION ALL
SELECT participant, at + interval '1 hour', drug, NULL
  FROM given WHERE action = 'given';
