-- Adverse event records as they are now, one row each; what was corrected away is not among them.
CREATE VIEW watch.record AS
WITH newest AS (
    SELECT DISTINCT ON (id) id, subject, retracted, recorded_at, payload::jsonb AS content
      FROM public.episode ORDER BY id, version DESC
)
SELECT person.study,
       newest.subject AS participant,
       person.site,
       content ->> 'term' AS term,
       content ->> 'criterion' AS criterion,
       regexp_replace(content ->> 'criterion', '\.[^.]*$', '') AS criteria,
       (content #>> '{worst,at_least}')::int AS worst_at_least,
       (content #>> '{worst,at_most}')::int AS worst_at_most,
       concat_ws('-', content #>> '{worst,at_least}',
                 nullif(content #>> '{worst,at_most}', content #>> '{worst,at_least}')) AS worst,
       concat_ws('-', content #>> '{current,at_least}',
                 nullif(content #>> '{current,at_most}', content #>> '{current,at_least}')) AS now,
       (content ->> 'transplant_day')::int AS transplant_day,
       (content ->> 'treatment_day')::int AS treatment_day,
       (content ->> 'onset_at')::timestamptz AS onset_at,
       (content ->> 'resolved_at')::timestamptz AS resolved_at,
       content ->> 'state' AS state,
       (content ->> 'provisional')::boolean AS provisional,
       (content ->> 'possible')::boolean AS possible,
       (content ->> 'before_exposure')::boolean AS before_exposure,
       concat_ws(', ', content ->> 'state',
                 CASE WHEN (content ->> 'provisional')::boolean THEN 'provisional' END,
                 CASE WHEN (content ->> 'possible')::boolean THEN 'possible' END,
                 CASE WHEN (content ->> 'before_exposure')::boolean THEN 'before exposure' END,
                 CASE WHEN NOT person.up_to_date THEN 'not up to date' END) AS standing,
       reached.because,
       last_change.missing,
       array_to_string(ARRAY(SELECT jsonb_array_elements_text(content -> 'serious')), ', ') AS serious,
       array_to_string(ARRAY(SELECT jsonb_array_elements_text(content -> 'confounders')), ', ')
           AS confounders,
       array_to_string(ARRAY(SELECT jsonb_array_elements_text(content -> 'windows')), ', ') AS windows,
       content ->> 'attribution' AS attribution,
       content ->> 'linked_to' AS part_of,
       newest.id AS record,
       newest.recorded_at::timestamptz AS recorded_at,
       content -> 'history' AS history
  FROM newest
  JOIN watch.person ON person.participant = newest.subject
  LEFT JOIN LATERAL (
       SELECT change ->> 'because' AS because
         FROM jsonb_array_elements(content -> 'history') WITH ORDINALITY AS one(change, place)
        ORDER BY (change #>> '{span,at_least}')::int DESC, (change #>> '{span,at_most}')::int DESC,
                 place
        LIMIT 1) AS reached ON true
  LEFT JOIN LATERAL (
       SELECT array_to_string(ARRAY(SELECT jsonb_array_elements_text(content #> '{history,-1,missing}')),
                              ', ') AS missing) AS last_change ON true
 WHERE NOT newest.retracted;

-- Every stretch of one grade of a record. Days count whole 24 hours from the onset: near midnight
-- they may differ by one from those of the site's calendar.
CREATE VIEW watch.grade_stretch AS
SELECT record.study,
       record.participant,
       record.site,
       record.record,
       record.term,
       record.criterion,
       record.criteria,
       record.standing,
       record.state,
       record.possible,
       record.before_exposure,
       stretch.since,
       stretch.until,
       (change #>> '{span,at_least}')::int AS at_least,
       (change #>> '{span,at_most}')::int AS at_most,
       concat_ws('-', change #>> '{span,at_least}',
                 nullif(change #>> '{span,at_most}', change #>> '{span,at_least}')) AS grade,
       change ->> 'because' AS because,
       record.transplant_day + floor(extract(epoch FROM stretch.since - record.onset_at) / 86400)::int
           AS first_day,
       record.transplant_day
           + floor(extract(epoch FROM greatest(stretch.until, stretch.since) - record.onset_at) / 86400)::int
           AS last_day
  FROM watch.record
  JOIN watch.person ON person.participant = record.participant
 CROSS JOIN LATERAL jsonb_array_elements(record.history) WITH ORDINALITY AS one(change, place)
 CROSS JOIN LATERAL (
       SELECT (change ->> 'at')::timestamptz AS since,
              coalesce((record.history -> place::int ->> 'at')::timestamptz, record.resolved_at,
                       person.last_observed_at) AS until) AS stretch;
