-- What runs now: the protocol that was activated last, of each study. One that ran before may run
-- again; without any activation, as an earlier release left it, the one that was kept last.
CREATE OR REPLACE VIEW watch.study AS
SELECT DISTINCT ON (protocol.study)
       protocol.study,
       protocol.version,
       substring(protocol.content FROM '(?n)^criteria: *(\S+)') AS criteria,
       substring(protocol.content FROM '(?n)^study_drug: *(\S+)') AS study_drug
  FROM public.protocol_version AS protocol
  LEFT JOIN public.study_activation AS activation
    ON activation.study = protocol.study
   AND activation.files::jsonb ->> 'protocol.yaml' = protocol.sha256
 ORDER BY protocol.study,
          activation.activated_at DESC NULLS LAST,
          activation.id DESC,
          protocol.activated_at DESC,
          protocol.version DESC;
