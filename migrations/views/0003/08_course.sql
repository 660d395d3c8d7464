-- The bedside course of a participant: what was read, what was given, and the grades of record.
CREATE VIEW watch.sign AS
SELECT fact.participant,
       person.site,
       fact.observed_at AS at,
       fact.body ->> 'measure' AS measure,
       CASE WHEN fact.body #>> '{value,unit}' = '[degF]'
            THEN round(((fact.body #>> '{value,value}')::numeric - 32) * 5 / 9, 1)
            ELSE (fact.body #>> '{value,value}')::numeric END AS value,
       CASE WHEN fact.body #>> '{value,unit}' = '[degF]' THEN 'Cel'
            ELSE fact.body #>> '{value,unit}' END AS unit,
       nullif(fact.body ->> 'text', '') AS says,
       NOT fact.is_final AS provisional
  FROM watch.standing_fact AS fact
  JOIN watch.person ON person.participant = fact.participant
 WHERE fact.kind = 'observation';

-- A drug from when it was started or given; null in `says` from when it no longer runs. A single
-- dose is drawn for an hour, so that it is seen.
CREATE VIEW watch.drug_mark AS
WITH given AS (
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

-- The grade ribbon: null in `grade` once the record is resolved.
CREATE VIEW watch.grade_mark AS
SELECT participant, since AS at, term, criteria, grade, standing, because
  FROM watch.grade_stretch WHERE state <> 'rejected'
UNION ALL
SELECT participant, resolved_at, term, criteria, NULL, standing, 'resolved'
  FROM watch.record WHERE resolved_at IS NOT NULL AND state <> 'rejected';
