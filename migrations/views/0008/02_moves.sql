-- The moves that nothing takes back, in the order in which they apply, of each family that has some.
CREATE OR REPLACE VIEW watch.move AS
WITH said AS (
    SELECT DISTINCT participant.family,
           (payload::jsonb ->> 'reported_at')::timestamptz AS reported_at,
           fact.observed_at,
           payload::jsonb #>> '{body,source}' AS source,
           payload::jsonb #>> '{body,target}' AS target,
           payload::jsonb #>> '{body,visit}' AS visit,
           payload::jsonb #>> '{body,new_visit}' AS new_visit,
           (payload::jsonb #>> '{body,undone}')::boolean AS undone
      FROM public.fact JOIN public.participant USING (subject)
     WHERE participant.family IS NOT NULL AND fact.kind = 'move'
), ordered AS (
    SELECT said.*, row_number() OVER (
               PARTITION BY said.family ORDER BY reported_at, observed_at, source, target, visit,
                                                   new_visit, undone) AS place
      FROM said
      JOIN public.participant AS one ON (one.subject, one.family) = (source, said.family)
      JOIN public.participant AS other ON (other.subject, other.family) = (target, said.family)
)
SELECT family,
       row_number() OVER (PARTITION BY family ORDER BY place) AS number,
       source, target, visit, new_visit
  FROM ordered AS one
 WHERE NOT undone
   AND NOT EXISTS (SELECT FROM ordered AS later
                    WHERE later.undone AND later.family = one.family AND later.place > one.place
                      AND (later.source, later.target, later.visit)
                          = (one.source, one.target, one.visit));

-- Whose each fact is, in families that have moves: each move in turn, then the merges.
CREATE OR REPLACE VIEW watch.moved_fact AS
WITH RECURSIVE last AS MATERIALIZED (
    SELECT family, max(number) AS number FROM watch.move GROUP BY family
), moves AS MATERIALIZED (
    SELECT move.*, survivor.participant AS of
      FROM watch.move JOIN watch.survivor ON survivor.subject = move.source
), who AS MATERIALIZED (
    SELECT participant.subject, participant.family, survivor.participant, last.number
      FROM public.participant JOIN last USING (family) JOIN watch.survivor USING (subject)
), known AS MATERIALIZED (
    SELECT fact.subject, fact.seq, fact.observed_at, who.family,
           content ->> 'series' AS series,
           coalesce(content ->> 'visit', '') AS visit,
           content ->> 'status' IN ('C', 'A', 'B', 'D', 'W') AS corrects,
           content ->> 'site' <> '' AND fact.kind IN ('administration', 'death', 'movement', 'observation')
               AS fed
      FROM who
      JOIN public.fact ON fact.subject = who.subject
     CROSS JOIN LATERAL (SELECT fact.payload::jsonb AS content OFFSET 0) AS read_once
), walk AS (
    -- what says of no visit is of the visit of what it corrects, be it of another time
    SELECT subject, seq, family, fed, 0::bigint AS number, subject AS who,
           CASE WHEN visit <> '' OR series = '' THEN visit
                WHEN min(nullif(visit, '')) OVER of_set = max(nullif(visit, '')) OVER of_set
                THEN max(nullif(visit, '')) OVER of_set
                WHEN corrects AND max(nullif(visit, '')) OVER of_set IS NULL
                     AND min(nullif(visit, '')) OVER of_series = max(nullif(visit, '')) OVER of_series
                THEN max(nullif(visit, '')) OVER of_series
                ELSE '' END AS visit
      FROM known
    WINDOW of_set AS (PARTITION BY subject, series, observed_at),
           of_series AS (PARTITION BY subject, series)
    UNION ALL
    SELECT walk.subject, walk.seq, walk.family, walk.fed, moves.number,
           CASE WHEN goes THEN moves.target ELSE walk.who END,
           CASE WHEN goes AND moves.new_visit <> '' THEN moves.new_visit ELSE walk.visit END
      FROM walk
      JOIN moves ON moves.family = walk.family AND moves.number = walk.number + 1
      JOIN who ON who.subject = walk.who
     CROSS JOIN LATERAL (
           SELECT who.participant = moves.of
                  AND CASE WHEN moves.visit = '' THEN walk.fed ELSE walk.visit = moves.visit END AS goes
           ) AS decided
)
SELECT walk.subject, walk.seq, who.participant
  FROM walk
  JOIN who ON who.subject = walk.who AND who.number = walk.number;
