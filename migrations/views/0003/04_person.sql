-- Who takes part: pseudonym, site, and the instants that days are counted from.
CREATE VIEW watch.person AS
WITH who AS MATERIALIZED (
    SELECT survivor.subject,
           survivor.participant,
           state.quarantined_seq IS NULL AND state.folded_through >= participant.last_seq AS up_to_date,
           (SELECT max(fact.observed_at) FROM public.fact WHERE fact.subject = survivor.subject)
               AS last_observed_at
      FROM watch.survivor
      JOIN public.participant ON participant.subject = survivor.subject
      LEFT JOIN public.participant_state AS state ON state.subject = survivor.subject
), seen AS MATERIALIZED (
    SELECT participant,
           max(last_observed_at)::timestamptz AS last_observed_at,
           coalesce(bool_and(up_to_date), false) AS up_to_date
      FROM who GROUP BY participant
), anchor AS MATERIALIZED (
    SELECT fact.participant,
           min(observed_at) FILTER (WHERE kind = 'transplant' AND body ->> 'number' = '1') AS graft_at,
           min(observed_at) FILTER (WHERE kind = 'administration'
                                      AND body ->> 'drug' = study.study_drug
                                      AND body ->> 'action' <> 'stop') AS first_infusion_at,
           min(observed_at) FILTER (WHERE kind = 'death') AS died_at,
           min(observed_at) FILTER (WHERE kind = 'relapse') AS relapsed_at
      FROM watch.standing_fact AS fact
      JOIN public.participant ON participant.subject = fact.participant
      JOIN watch.study ON study.study = participant.study
     WHERE kind IN ('transplant', 'administration', 'death', 'relapse')
     GROUP BY fact.participant
)
SELECT seen.participant,
       participant.study,
       participant.site,
       study.version AS protocol_version,
       study.criteria,
       anchor.graft_at,
       anchor.first_infusion_at,
       anchor.died_at,
       anchor.relapsed_at,
       seen.last_observed_at,
       seen.up_to_date
  FROM seen
  JOIN public.participant ON participant.subject = seen.participant
  JOIN watch.study ON study.study = participant.study
  LEFT JOIN anchor ON anchor.participant = seen.participant
 WHERE seen.participant <> participant.study;  -- the journal of the study itself
