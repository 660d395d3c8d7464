-- The facts that corrections leave, as safety_rules/domain/facts decides it: of each result of a
-- series the latest report stands, and nothing does once that is deleted. Movements are left out:
-- no view shows them, and which of them a cancel undoes is read in the order of all reports. A death
-- that its site, or a person, denied later does not stand.
CREATE OR REPLACE VIEW watch.standing_fact AS
WITH RECURSIVE moved AS MATERIALIZED (
    SELECT subject, seq, participant FROM watch.moved_fact
), stays AS MATERIALIZED (
    SELECT subject, participant FROM watch.survivor
     WHERE subject NOT IN (SELECT subject FROM moved)
), owned AS (
    SELECT stays.participant, fact.subject, fact.id, fact.kind, fact.observed_at, fact.payload
      FROM stays JOIN public.fact ON fact.subject = stays.subject
    UNION ALL
    SELECT moved.participant, fact.subject, fact.id, fact.kind, fact.observed_at, fact.payload
      FROM moved JOIN public.fact ON fact.subject = moved.subject AND fact.seq = moved.seq
), report AS (
    SELECT participant,
           subject,
           id,
           kind,
           observed_at,
           content -> 'body' AS body,
           content ->> 'status' AS status,
           (content ->> 'reported_at')::timestamptz AS reported_at,
           (content ->> 'sequence')::bigint AS sequence,
           content ->> 'digest' AS digest,
           coalesce(content ->> 'site', '') AS site,
           coalesce(content ->> 'series', '') = '' AS is_alone,
           concat_ws(E'\n', participant, kind, coalesce(nullif(content ->> 'series', ''), id))
               COLLATE "C" AS series,
           coalesce(content #>> '{result_key,code}', '') COLLATE "C" AS code,
           coalesce(content #>> '{result_key,number}', '') COLLATE "C" AS number,
           coalesce(content #>> '{result_key,local_time}', '') AS local_time,
           coalesce(content #>> '{result_key,report}', '') COLLATE "C" AS message
      FROM owned
     CROSS JOIN LATERAL (SELECT owned.payload::jsonb AS content OFFSET 0) AS read_once
     WHERE kind <> 'movement'
), ranked AS MATERIALIZED (
    SELECT report.*,
           row_number() OVER () AS place,
           count(*) OVER (PARTITION BY series) AS reports_of_series,
           status IN ('C', 'A', 'B', 'D', 'W') AS corrects,
           -- Source: HL7 v2.5.1, table 0085; docs/decisions/corrections.md
           CASE status WHEN 'X' THEN 0 WHEN 'I' THEN 1 WHEN 'P' THEN 2 WHEN 'R' THEN 3 WHEN 'S' THEN 3
                WHEN 'F' THEN 4 WHEN 'U' THEN 5 WHEN 'V' THEN 5 WHEN 'D' THEN 7 WHEN 'W' THEN 7
                ELSE 6 END AS rank,
           kind = 'observation' AND body -> 'value' = 'null' AND body ->> 'text' = '' AS is_empty
      FROM report
), code AS (
    SELECT DISTINCT series, code FROM ranked WHERE reports_of_series > 1 AND code <> ''
), code_count AS (
    SELECT series, count(*) AS codes FROM code GROUP BY series
), round AS (
    -- a fact without a code stands if it does beside each code: one that does not is refuted, and
    -- what stands without it is read again
    SELECT 0 AS number, '{}'::bigint[] AS refuted, true AS is_open,
           '{}'::bigint[] AS places, '{}'::bigint[] AS promoted
    UNION ALL
    SELECT number + 1, round.refuted || outcome.refuted, cardinality(outcome.refuted) > 0,
           outcome.places, outcome.promoted
      FROM round
     CROSS JOIN LATERAL (
        WITH of_code AS (
            -- a fact of an older release says no code: it is among the reports of each
            SELECT ranked.*, code AS set_code FROM ranked WHERE reports_of_series > 1 AND code <> ''
            UNION ALL
            SELECT ranked.*, coalesce(code.code, '')
              FROM ranked LEFT JOIN code USING (series) WHERE reports_of_series > 1 AND ranked.code = ''
               AND place <> ALL (round.refuted)
        ), timed AS MATERIALIZED (
            SELECT of_code.*,
                   array_agg(local_time) FILTER (WHERE NOT corrects)
                       OVER (PARTITION BY series, set_code, observed_at) AS times_of_results,
                   -- there is no result of this time: nothing to correct
                   bool_and(status = 'X') OVER (PARTITION BY series, set_code, observed_at) AS is_void
              FROM of_code
        ), orphan AS MATERIALIZED (
            -- corrections without a result of their time, and those whose local time is that of a result an
            -- hour away: the clocks changed in between
            SELECT series, set_code, observed_at, is_void,
                   array_agg(place) AS places, array_agg(local_time) FILTER (WHERE local_time <> '') AS local_times
              FROM timed
             WHERE is_void OR corrects
               AND (times_of_results IS NULL
                    OR (local_time <> '' AND local_time <> ALL (times_of_results)
                        AND '' <> ALL (times_of_results)
                        AND EXISTS (SELECT FROM timed AS result
                                     WHERE (result.series, result.set_code) = (timed.series, timed.set_code)
                                       AND NOT result.corrects AND result.local_time = timed.local_time
                                       AND abs(extract(epoch FROM result.observed_at::timestamptz
                                                                  - timed.observed_at::timestamptz)) = 3600)))
             GROUP BY series, set_code, observed_at, is_void
        ), corrected AS (
            -- the result with the same local time, else the only one
            SELECT orphan.series, orphan.set_code, orphan.observed_at, places,
                   CASE WHEN count(DISTINCT timed.observed_at) FILTER (WHERE local_time = ANY (local_times)) = 1
                        THEN min(timed.observed_at) FILTER (WHERE local_time = ANY (local_times))
                        WHEN orphan.is_void THEN orphan.observed_at
                        WHEN count(DISTINCT timed.observed_at) = 1 THEN min(timed.observed_at)
                        ELSE 'alone ' || orphan.observed_at END AS set_time
              FROM orphan
              LEFT JOIN timed ON (timed.series, timed.set_code) = (orphan.series, orphan.set_code)
                                 AND NOT timed.corrects AND NOT timed.is_void
             GROUP BY orphan.series, orphan.set_code, orphan.observed_at, orphan.is_void, places, local_times
        ), joined AS (
            SELECT timed.*,
                   concat_ws(E'\n', timed.series, timed.set_code, coalesce(set_time, timed.observed_at))
                       COLLATE "C" AS set_name,
                   status NOT IN ('D', 'W', 'X') AND NOT is_empty AS is_result,
                   -- 5.0 is 5
                   CASE WHEN kind = 'observation' THEN jsonb_build_array(
                       body - '{value,lln,uln}'::text[],
                       trim_scale((body #>> '{value,value}')::numeric), body #> '{value,unit}',
                       body #> '{value,censoring}',
                       trim_scale((body #>> '{lln,value}')::numeric), body #> '{lln,unit}',
                       body #> '{lln,censoring}',
                       trim_scale((body #>> '{uln,value}')::numeric), body #> '{uln,unit}',
                       body #> '{uln,censoring}')::text END
                       AS content
              FROM timed
              LEFT JOIN corrected
                ON (corrected.series, corrected.set_code, corrected.observed_at)
                   = (timed.series, timed.set_code, timed.observed_at) AND place = ANY (places)
        ), compared AS (
            SELECT joined.*,
                   bool_or(is_result) OVER of_message AS message_has_result,
                   max(reported_at) OVER of_message AS message_at,
                   message <> '' AND coalesce(
                       min(content) FILTER (WHERE is_result AND corrects) OVER of_message
                           <> max(content) FILTER (WHERE is_result AND corrects) OVER of_message, false)
                   OR message <> '' AND coalesce(
                       min(content) FILTER (WHERE is_result AND NOT corrects) OVER of_message
                           <> max(content) FILTER (WHERE is_result AND NOT corrects) OVER of_message, false)
                       AS has_several
              FROM joined WINDOW of_message AS (PARTITION BY set_name, message)
        ), placed AS MATERIALIZED (
            -- a deletion that comes with the value that takes its place says nothing
            SELECT compared.*,
                   first_value(CASE WHEN has_several THEN message END) OVER of_last AS last_message,
                   first_value(message_at) OVER of_last AS last_message_at
              FROM compared
             WHERE NOT (status IN ('D', 'W') AND message <> '' AND message_has_result AND NOT has_several)
            WINDOW of_last AS (PARTITION BY set_name ORDER BY has_several DESC, message_at DESC, message DESC)
        ), numbered AS MATERIALIZED (
            SELECT placed.*,
                   first_value(number) OVER (PARTITION BY set_name, message, content
                                             ORDER BY reported_at, number) AS first_number
              FROM placed WHERE has_several
        ), number_result AS (
            SELECT set_name, number,
                   CASE WHEN bool_or(number = first_number) THEN number
                        ELSE (array_agg(first_number ORDER BY message_at, message, reported_at))[1]
                        END AS result
              FROM numbered GROUP BY set_name, number
        ), content_result AS (
            SELECT DISTINCT set_name, content, first_number AS result
              FROM numbered WHERE message = last_message
        ), matched AS (
            SELECT placed.*,
                   CASE WHEN last_message IS NULL THEN ''
                        WHEN number_result.result IS NOT NULL THEN number_result.result
                        WHEN is_result AND content_result.result IS NOT NULL THEN content_result.result
                        WHEN reported_at >= last_message_at THEN E'\n' || placed.number
                        END AS result
              FROM placed
              LEFT JOIN number_result USING (set_name, number)
              LEFT JOIN content_result USING (set_name, content)
        ), taken AS (
            SELECT matched.*,
                   first_value(status) OVER (PARTITION BY set_name, result, subject
                                             ORDER BY reported_at DESC, rank DESC, sequence DESC, digest DESC)
                       AS last_of_subject
              FROM matched WHERE result IS NOT NULL
        ), posted AS (
            -- what was posted on the wrong patient is taken back from that one alone
            SELECT taken.*,
                   first_value(status) OVER latest AS last_status,
                   first_value(status = 'U' AND is_empty) OVER latest AS is_promoted
              FROM taken WHERE last_of_subject <> 'W'
            WINDOW latest AS (PARTITION BY set_name, result
                              ORDER BY reported_at DESC, rank DESC, sequence DESC, digest DESC)
        ), best AS (
            SELECT posted.*,
                   row_number() OVER (PARTITION BY set_name, result
                                      ORDER BY reported_at DESC, rank DESC, sequence DESC, digest DESC)
                       AS at_place,
                   first_value(place) OVER same_report AS first_place,
                   first_value(code) OVER same_report AS first_code
              FROM posted
             WHERE NOT (status = 'U' AND is_empty) AND NOT (is_promoted AND (status = 'X' OR is_empty))
            WINDOW same_report AS (PARTITION BY set_name, result, digest, status
                                   ORDER BY reported_at, id COLLATE "C")
        ), standing AS (
            -- of the same content sent twice the first report stands
            SELECT first_place AS place, series, first_code AS code, is_promoted,
                   count(*) OVER (PARTITION BY first_place) AS standing_codes
              FROM best WHERE at_place = 1 AND last_status NOT IN ('D', 'X')
        )
        SELECT coalesce(array_agg(place) FILTER (WHERE is_refuted), '{}') AS refuted,
               coalesce(array_agg(place), '{}') AS places,
               coalesce(array_agg(place) FILTER (WHERE is_promoted), '{}') AS promoted
          FROM (SELECT place, bool_or(is_promoted) AS is_promoted,
                       bool_or(standing.code = '' AND standing_codes < coalesce(codes, 1)) AS is_refuted
                  FROM standing LEFT JOIN code_count USING (series) GROUP BY place) AS each_fact
     ) AS outcome
     WHERE is_open
), last_round AS MATERIALIZED (
    SELECT places, promoted FROM round ORDER BY number DESC LIMIT 1
), current AS (
    SELECT unnest(places) AS place FROM last_round
), denied AS (
    -- Source: docs/decisions/corrections.md, "A death that is taken back"
    SELECT death.place
      FROM ranked AS death
      JOIN ranked AS denial ON denial.participant = death.participant
                           AND denial.kind = 'death' AND denial.status = 'D' AND denial.is_alone
                           AND denial.site IN ('', death.site)
                           AND (denial.reported_at, denial.sequence) > (death.reported_at, death.sequence)
     WHERE death.kind = 'death'
)
SELECT participant, id, kind, observed_at::timestamptz AS observed_at, body,
       status NOT IN ('I', 'P', 'R', 'S') AS is_final
  FROM ranked
 WHERE reports_of_series = 1 AND status NOT IN ('D', 'W', 'X') AND NOT (status = 'U' AND is_empty)
   AND place NOT IN (SELECT place FROM denied)
UNION ALL
SELECT participant, id, kind, observed_at::timestamptz, body,
       status NOT IN ('I', 'P', 'R', 'S') OR place IN (SELECT unnest(promoted) FROM last_round)
  FROM ranked JOIN current USING (place)
 WHERE place NOT IN (SELECT place FROM denied);
