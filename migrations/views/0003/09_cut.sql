-- How far the data go, and what they are read by.
CREATE VIEW watch.cut AS
WITH seen AS MATERIALIZED (
    SELECT study, max(last_observed_at) AS data_to,
           count(*) FILTER (WHERE NOT up_to_date) AS not_up_to_date
      FROM watch.person GROUP BY study
), counted AS MATERIALIZED (
    SELECT participant.study,
           sum(participant.last_seq)::bigint AS facts,
           sum(participant.last_seq - coalesce(state.folded_through, 0))::bigint AS waiting
      FROM public.participant
      LEFT JOIN public.participant_state AS state ON state.subject = participant.subject
     WHERE participant.subject <> participant.study
     GROUP BY participant.study
)
SELECT study.study,
       seen.data_to,
       floor(extract(epoch FROM now() - seen.data_to) / 86400)::int AS data_age_days,
       coalesce(counted.facts, 0) AS facts,
       coalesce(counted.waiting, 0) AS waiting,
       coalesce(seen.not_up_to_date, 0) AS not_up_to_date,
       study.version AS protocol_version,
       study.criteria
  FROM watch.study
  LEFT JOIN seen ON seen.study = study.study
  LEFT JOIN counted ON counted.study = study.study;

-- The same in words without a date.
CREATE VIEW watch.dsmb_cut AS
SELECT study,
       concat('data to ', coalesce(data_age_days || ' days before now', 'nothing yet'), ', ', facts,
              ' facts, ', waiting, ' not graded yet; protocol version ', protocol_version, '; ',
              criteria) AS data_cut,
       data_age_days,
       facts,
       waiting,
       not_up_to_date,
       protocol_version,
       criteria
  FROM watch.cut;
