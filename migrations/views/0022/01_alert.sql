-- Alerts that people have to know of, and how long they have to say that they have seen them.
-- The alerts service writes the state, for the files of the study say who has to acknowledge; until it
-- has, an alert that somebody has seen is seen.
CREATE OR REPLACE VIEW watch.alert AS
WITH told AS (
    SELECT delivery.*,
           max(recorded_at) FILTER (WHERE reason = 'retracted') OVER (PARTITION BY alert)
               AS taken_back_at
      FROM public.delivery WHERE NOT (state = 'withdrawn' AND attempts = 0)
), since AS (
    SELECT alert,
           min(recorded_at) AS first_at,
           max(recorded_at) AS last_at,
           count(DISTINCT (recorded_at, reason)) AS notices,
           count(*) FILTER (WHERE next_attempt_at IS NOT NULL) AS waiting
      FROM told WHERE taken_back_at IS NULL OR recorded_at > taken_back_at GROUP BY alert
)
SELECT alert.study,
       alert.id AS alert,
       CASE WHEN alert.retracted THEN 'retracted' WHEN alert.closed <> '' THEN alert.closed
            WHEN alert_state.state IS NOT NULL THEN alert_state.state
            WHEN seen.at IS NOT NULL THEN 'seen' ELSE 'open' END AS state,
       alert.level,
       replace(alert.kind, '_', ' ') AS kind,
       nullif(alert.participant, '') AS participant,
       participant.site,
       CASE WHEN alert.level = 'participant' THEN alert.grade END AS grade,
       coalesce(said ->> 'term', said ->> 'says', said ->> 'title',
                CASE WHEN alert.kind = 'death' THEN 'Death: ' || coalesce(
                         nullif(said ->> 'cause', ''), 'cause unknown') END,
                (said ->> 'source') || ' is silent', 'Daily note ' || (said ->> 'day'),
                'Records are not up to date') AS about,
       coalesce(reached.because, said #>> '{because,0}',
                CASE WHEN alert.level = 'study'
                     THEN (said ->> 'events') || ' events at an effective '
                          || round((said ->> 'ess')::numeric, 1) END, '') AS because,
       (said ->> 'transplant_day')::int AS transplant_day,
       (said ->> 'treatment_day')::int AS treatment_day,
       concat_ws(', ', CASE WHEN alert.suspected THEN 'suspected' ELSE 'confirmed' END,
                 CASE WHEN alert.provisional THEN 'provisional' END) AS standing,
       alert.protocol,
       study.criteria,
       alert.opened_at::timestamptz AS opened_at,
       since.first_at::timestamptz AS told_at,
       extract(epoch FROM now() - coalesce(since.first_at, alert.opened_at)::timestamptz)::bigint
           AS age_s,
       alert.acknowledge_within_s - extract(
           epoch FROM now() - coalesce(since.first_at, alert.opened_at)::timestamptz)::bigint
           AS left_s,
       coalesce(since.notices, 0) AS notices,
       coalesce(since.waiting, 0) AS undelivered
  FROM public.alert
 CROSS JOIN LATERAL (SELECT alert.detail::jsonb AS said) AS told_as
  JOIN watch.study ON study.study = alert.study
  LEFT JOIN public.participant ON participant.subject = alert.participant
  LEFT JOIN since ON since.alert = alert.id
  LEFT JOIN public.alert_state ON alert_state.alert = alert.id
  LEFT JOIN LATERAL (  -- the grade that it is told for
       SELECT change ->> 'because' AS because
         FROM jsonb_array_elements(said -> 'history') WITH ORDINALITY AS one(change, place)
        ORDER BY (change #>> '{span,at_least}')::int DESC, (change #>> '{span,at_most}')::int DESC,
                 place
        LIMIT 1) AS reached ON true
  LEFT JOIN LATERAL (
       SELECT max(acknowledgement.at) AS at FROM public.acknowledgement
        WHERE acknowledgement.alert = alert.id AND acknowledgement.grade >= alert.grade
          AND (since.first_at IS NULL OR acknowledgement.at >= since.first_at)) AS seen ON true;
