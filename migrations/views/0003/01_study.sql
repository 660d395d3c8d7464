-- What runs now: the protocol that was activated last, of each study.
CREATE VIEW watch.study AS
SELECT DISTINCT ON (study)
       study,
       version,
       substring(content FROM '(?n)^criteria: *(\S+)') AS criteria,
       substring(content FROM '(?n)^study_drug: *(\S+)') AS study_drug
  FROM public.protocol_version
 ORDER BY study, activated_at DESC, version DESC;
