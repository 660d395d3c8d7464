-- The last decision of each stopping rule, as it was recorded and told.
CREATE VIEW watch.last_decision AS
SELECT DISTINCT ON (study, rule) study, rule, version, payload::jsonb AS said
  FROM public.decision ORDER BY study, rule, version DESC;

-- What each rule says, in numbers.
CREATE VIEW watch.dsmb_rule AS
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
       -- above its size a rule cannot stop yet
       CASE WHEN (said ->> 'boundary')::int <= ceil((said ->> 'ess')::numeric - 1e-9)
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
           SELECT jsonb_array_elements_text(said -> 'looks')), ', '), ''), 'every participant') AS looks,
       replace(said ->> 'recommend', '_', ' ') AS recommends,
       coalesce(nullif(said ->> 'determination', ''), 'none yet') AS determination,
       -- without who signed it, and when
       regexp_replace(said ->> 'protocol', 'signed by (?!nobody).*', 'signed') AS protocol,
       decision.version AS decision,
       cut.data_cut
  FROM watch.last_decision AS decision
  JOIN watch.dsmb_cut AS cut ON cut.study = decision.study;
