-- What runs now: the protocol that was activated last, of each study.
CREATE VIEW watch.study AS
SELECT DISTINCT ON (study)
       study,
       version,
       substring(content FROM '(?n)^criteria: *(\S+)') AS criteria,
       substring(content FROM '(?n)^study_drug: *(\S+)') AS study_drug
  FROM public.protocol_version
 ORDER BY study, activated_at DESC, version DESC;

-- Whose records each participant's facts belong to, as safety_rules/domain/families.py decides it:
-- the end of a chain of merges; of a cycle, the least name.
CREATE VIEW watch.survivor AS
WITH RECURSIVE decided AS (
    SELECT DISTINCT ON (pair) gone, survivor, undone, said_at
      FROM (SELECT payload::jsonb #>> '{body,gone}' AS gone,
                   payload::jsonb #>> '{body,survivor}' AS survivor,
                   (payload::jsonb #>> '{body,undone}')::boolean AS undone,
                   (payload::jsonb ->> 'reported_at')::timestamptz AS said_at,
                   payload::jsonb ->> 'digest' AS digest
              FROM public.fact JOIN public.participant USING (subject)
             WHERE participant.family IS NOT NULL AND fact.kind = 'merge') AS merges,
           LATERAL (SELECT ARRAY[least(gone, survivor), greatest(gone, survivor)] AS pair) AS named
     ORDER BY pair, said_at DESC, digest DESC
), into_ AS (
    SELECT DISTINCT ON (gone) gone, survivor FROM decided WHERE NOT undone ORDER BY gone, said_at DESC
), walk AS (
    SELECT subject, ARRAY[subject] AS passed FROM public.participant WHERE family IS NOT NULL
    UNION ALL
    SELECT walk.subject, walk.passed || into_.survivor
      FROM walk JOIN into_ ON into_.gone = walk.passed[cardinality(walk.passed)]
     WHERE into_.survivor <> ALL (walk.passed)
), furthest AS (
    SELECT DISTINCT ON (subject) subject, passed FROM walk ORDER BY subject, cardinality(passed) DESC
)
SELECT subject, subject AS participant FROM public.participant WHERE family IS NULL
UNION ALL
SELECT furthest.subject,
       CASE WHEN into_.survivor IS NULL THEN passed[cardinality(passed)]
            ELSE (SELECT min(name)
                    FROM unnest(passed[array_position(passed, into_.survivor):]) AS name)
       END
  FROM furthest LEFT JOIN into_ ON into_.gone = passed[cardinality(passed)];
