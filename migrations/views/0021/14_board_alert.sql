-- Alerts that the DSMB is told of: of rules, and deaths. Days and pseudonyms, no site and no date.
CREATE VIEW watch.dsmb_alert AS
SELECT alert.study,
       alert.id,
       alert.kind,
       CASE WHEN alert.level = 'study' THEN alert.about ELSE '' END AS rule,
       alert.participant,
       alert.grade::int AS grade,
       alert.version::int AS version,
       alert.retracted,
       alert.closed,
       CASE WHEN alert.kind = 'death' THEN (alert.detail::jsonb ->> 'transplant_day')::int END
           AS transplant_day,
       CASE WHEN alert.kind = 'death' THEN (alert.detail::jsonb ->> 'treatment_day')::int END
           AS treatment_day,
       row_number() OVER (PARTITION BY alert.study ORDER BY alert.opened_at, alert.id) AS number
  FROM public.alert
 WHERE alert.level = 'study' OR alert.kind = 'death';
