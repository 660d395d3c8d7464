-- The facts that corrections leave, as safety_rules/domain/current_facts.py decides it: of a series
-- at one instant the latest report stands, and nothing does once that is deleted. A correction that
-- comes with another time replaces the only result of its series.
CREATE VIEW watch.standing_fact AS
WITH moved AS MATERIALIZED (
    SELECT subject, seq, participant FROM watch.moved_fact
), stays AS MATERIALIZED (
    SELECT subject, participant FROM watch.survivor
     WHERE subject NOT IN (SELECT subject FROM moved)
), whose AS (
    SELECT stays.participant, fact.subject, fact.id, fact.kind, fact.observed_at, fact.payload
      FROM stays JOIN public.fact ON fact.subject = stays.subject
    UNION ALL
    SELECT moved.participant, fact.subject, fact.id, fact.kind, fact.observed_at, fact.payload
      FROM moved JOIN public.fact ON fact.subject = moved.subject AND fact.seq = moved.seq
), known AS (
    SELECT whose.participant,
           whose.subject,
           whose.id,
           whose.kind,
           whose.observed_at,
           said -> 'body' AS body,
           said ->> 'status' AS status,
           (said ->> 'reported_at')::timestamptz AS reported_at,
           (said ->> 'sequence')::bigint AS sequence,
           said ->> 'digest' AS digest,
           coalesce(nullif(said ->> 'series', ''), whose.id) AS series
      FROM whose
     CROSS JOIN LATERAL (SELECT whose.payload::jsonb AS said OFFSET 0) AS read_once
), ranked AS (
    SELECT known.*,
           -- Source: HL7 v2.5.1, table 0085
           array_position('{X,I,P,R,S,F,U,C,A,B,D,W}', status) AS place,
           status = 'U' AND kind = 'observation' AND body -> 'value' = 'null'
               AND body ->> 'text' = '' AS is_empty_promotion,
           bool_and(status IN ('C', 'A', 'B', 'D', 'W'))
               OVER (PARTITION BY participant, kind, series, observed_at) AS only_corrects
      FROM known
), joined AS (
    SELECT ranked.*,
           CASE WHEN min(observed_at) FILTER (WHERE NOT only_corrects) OVER of_series
                   = max(observed_at) FILTER (WHERE NOT only_corrects) OVER of_series
                THEN '' ELSE observed_at END AS set_of,
           CASE status WHEN 'R' THEN 5 WHEN 'S' THEN 5 WHEN 'A' THEN 8 WHEN 'B' THEN 8
                WHEN 'C' THEN 8 WHEN 'W' THEN 11 ELSE place END AS rank
      FROM ranked WINDOW of_series AS (PARTITION BY participant, kind, series)
), taken AS (
    SELECT joined.*,
           first_value(status) OVER (PARTITION BY participant, kind, series, set_of, subject
                                     ORDER BY reported_at DESC, rank DESC, sequence DESC, digest DESC)
               AS last_of_subject
      FROM joined
), said AS (
    -- what was posted on the wrong patient is taken back from that one alone
    SELECT taken.*,
           first_value(status) OVER latest AS last_status,
           first_value(is_empty_promotion) OVER latest AS is_promoted
      FROM taken WHERE last_of_subject <> 'W'
    WINDOW latest AS (PARTITION BY participant, kind, series, set_of
                      ORDER BY reported_at DESC, rank DESC, sequence DESC, digest DESC)
), best AS (
    SELECT said.*,
           row_number() OVER (PARTITION BY participant, kind, series, set_of
                              ORDER BY reported_at DESC, rank DESC, sequence DESC, digest DESC)
               AS at_place
      FROM said
     WHERE NOT is_empty_promotion
       AND NOT (is_promoted AND (status = 'X' OR (body -> 'value' = 'null' AND body ->> 'text' = '')))
)
SELECT participant, id, kind, observed_at::timestamptz AS observed_at, body,
       (is_promoted OR status NOT IN ('I', 'P', 'R', 'S')) AS is_final
  FROM best
 WHERE at_place = 1 AND last_status NOT IN ('D', 'X');
