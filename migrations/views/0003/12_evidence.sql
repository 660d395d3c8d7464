-- The decisions of each rule, by number: how sure it was of what.
CREATE VIEW watch.dsmb_history AS
SELECT decision.study,
       decision.rule,
       decision.version AS decision,
       decision.signal,
       (said ->> 'events')::int AS events,
       (said ->> 'evaluable')::int AS treated,
       (said ->> 'ess')::numeric AS effective_size,
       (said ->> 'predictive')::numeric AS predictive,
       (said ->> 'p_cross_p0')::numeric AS pending_cross_at_p0
  FROM public.decision
 CROSS JOIN LATERAL (SELECT decision.payload::jsonb AS said) AS told;

-- Who counts with an event: the pseudonym, as in the notices that the DSMB gets.
CREATE VIEW watch.dsmb_event AS
SELECT decision.study,
       decision.rule,
       one ->> 'participant' AS participant,
       (one ->> 'grade')::int AS grade,
       CASE WHEN (one ->> 'confirmed')::boolean THEN 'confirmed' ELSE 'suspected' END AS standing,
       (one ->> 'transplant_day')::int AS transplant_day,
       (one ->> 'treatment_day')::int AS treatment_day,
       decision.version AS decision,
       cut.data_cut
  FROM watch.last_decision AS decision
 CROSS JOIN LATERAL jsonb_array_elements(said -> 'contributors') AS one
  JOIN watch.dsmb_cut AS cut ON cut.study = decision.study;

-- The same facts under other ways of counting.
CREATE VIEW watch.dsmb_sensitivity AS
SELECT decision.study,
       decision.rule,
       one ->> 'counting' AS counting,
       (one ->> 'events')::int AS events,
       (one ->> 'ess')::numeric AS effective_size,
       CASE WHEN (one ->> 'boundary')::int <= ceil((one ->> 'ess')::numeric - 1e-9)
            THEN (one ->> 'boundary')::int END AS boundary,
       (one ->> 'crossed')::boolean AS reached,
       decision.version AS decision,
       cut.data_cut
  FROM watch.last_decision AS decision
 CROSS JOIN LATERAL jsonb_array_elements(said -> 'sensitivity') AS one
  JOIN watch.dsmb_cut AS cut ON cut.study = decision.study;
