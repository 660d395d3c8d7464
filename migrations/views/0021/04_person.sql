-- Who takes part: pseudonym, site, and the instants that days are counted from.
CREATE OR REPLACE VIEW watch.person AS
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
)
SELECT seen.participant,
       participant.study,
       participant.site,
       study.version AS protocol_version,
       study.criteria,
       milestones.graft_at::timestamptz AS graft_at,
       milestones.first_infusion_at::timestamptz AS first_infusion_at,
       milestones.died_at::timestamptz AS died_at,
       milestones.relapsed_at::timestamptz AS relapsed_at,
       seen.last_observed_at,
       seen.up_to_date
  FROM seen
  JOIN public.participant ON participant.subject = seen.participant
  JOIN watch.study ON study.study = participant.study
  LEFT JOIN public.participant_milestones AS milestones ON milestones.subject = seen.participant
 WHERE seen.participant <> participant.study;  -- the journal of the study itself
