-- Adverse event records as they are now, one row each; what was corrected away is not among them.
CREATE OR REPLACE VIEW watch.record AS
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
                 CASE WHEN (content ->> 'outside_inducer_window')::boolean
                      THEN 'outside inducer window' END,
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
