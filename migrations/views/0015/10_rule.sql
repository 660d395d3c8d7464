-- What each rule says, in numbers.
CREATE OR REPLACE VIEW watch.dsmb_rule AS
SELECT decision.study,
       decision.rule,
       said ->> 'title' AS title,
       said ->> 'in_words' AS in_words,
       said ->> 'signal' AS signal,
       (said ->> 'watch_only')::boolean AS watch_only,
       (said ->> 'events')::int AS events,
       (said ->> 'confirmed')::int AS confirmed,
       (said ->> 'upper')::int AS at_upper_grades,
       (said ->> 'evaluable')::int AS treated,
       (said ->> 'complete')::int AS complete,
       (said ->> 'pending')::int AS pending,
       (said ->> 'beyond_plan')::int AS beyond_plan,
       (said ->> 'n')::int AS planned,
       (said ->> 'ess')::numeric AS effective_size,
       -- above its size a rule cannot stop yet; in person-time, above the planned participants
       CASE WHEN (said ->> 'boundary')::int
                 <= CASE WHEN said #> '{person_time,steps}' IS NULL
                         THEN ceil((said ->> 'ess')::numeric - 1e-9) ELSE (said ->> 'n')::int END
            THEN (said ->> 'boundary')::int END AS boundary,
       (said ->> 'events_left')::int AS events_left,
       said ->> 'crossed_since' IS NOT NULL AS reached,
       (said ->> 'confirmed_crossed')::boolean AS reached_by_confirmed,
       (said ->> 'upper_crossed')::boolean AS reached_at_upper_grades,
       (said ->> 'certain')::boolean AS certain,
       (said ->> 'p_cross_p0')::numeric AS pending_cross_at_p0,
       (said ->> 'p_cross_posterior')::numeric AS pending_cross_at_posterior,
       (said ->> 'predictive')::numeric AS predictive,
       (said ->> 'conditional_p0')::numeric AS ever_cross_at_p0,
       (said #>> '{posterior,0}')::numeric AS event_rate,
       (said #>> '{posterior,1}')::numeric AS event_rate_low,
       (said #>> '{posterior,2}')::numeric AS event_rate_high,
       coalesce(nullif(array_to_string(ARRAY(
           SELECT jsonb_array_elements_text(coalesce(said #> '{person_time,looks}', said -> 'looks'))),
           ', '), ''),
           CASE WHEN said #> '{person_time,steps}' IS NULL
                THEN 'every participant' ELSE 'every event' END) AS looks,
       replace(said ->> 'recommend', '_', ' ') AS recommends,
       coalesce(nullif(said ->> 'determination', ''), 'none yet') AS determination,
       -- without who signed it, and when
       regexp_replace(said ->> 'protocol', 'signed by (?!nobody).*', 'signed') AS protocol,
       decision.version AS decision,
       cut.data_cut,
       (said ->> 'events_left_from_new')::int AS events_left_from_new,
       -- behind predictive, pending_cross_at_posterior and the event rate; null: not recorded
       CASE WHEN said #> '{person_time,steps}' IS NULL THEN 'Beta' ELSE 'Gamma' END
           || '(' || round((said #>> '{prior,0}')::numeric, 4)::float
           || ', ' || round((said #>> '{prior,1}')::numeric, 4)::float || ')' AS prior
  FROM watch.last_decision AS decision
  JOIN watch.dsmb_cut AS cut ON cut.study = decision.study;
