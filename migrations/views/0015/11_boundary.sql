-- The boundary chart: what stands at each size. A size between two whole ones is looked up at the
-- upper one, so a step begins right after the size before it.
CREATE OR REPLACE VIEW watch.dsmb_boundary AS
WITH steps AS (
    SELECT study, rule, step, place = count(*) OVER (PARTITION BY study, rule) AS is_last
      FROM watch.last_decision,
           jsonb_array_elements(said -> 'steps') WITH ORDINALITY AS one(step, place)
    UNION ALL
    -- in person-time a step ends at its last person-time, and the next begins there
    SELECT study, rule,
           jsonb_build_object(
               'events', step -> 'events', 'last', step -> 'end',
               'first', 1 + coalesce(lag((step ->> 'end')::numeric)
                                     OVER (PARTITION BY study, rule ORDER BY place), 0)),
           place = count(*) OVER (PARTITION BY study, rule)
      FROM watch.last_decision,
           jsonb_array_elements(said #> '{person_time,steps}') WITH ORDINALITY AS one(step, place)
), points AS (
    SELECT study, rule, (step ->> 'first')::numeric - 1 AS size, (step ->> 'events')::int AS boundary,
           NULL::int AS events, NULL::int AS pending_none, NULL::int AS pending_all, NULL::int AS now
      FROM steps
    UNION ALL
    SELECT study, rule, (step ->> 'last')::numeric, (step ->> 'events')::int, NULL, NULL, NULL, NULL
      FROM steps WHERE is_last
    UNION ALL
    SELECT study, rule, 0, NULL, 0, NULL, NULL, NULL FROM watch.last_decision
    UNION ALL
    SELECT study, rule, (point ->> 'ess')::numeric, NULL, (point ->> 'events')::int, NULL, NULL, NULL
      FROM watch.last_decision, jsonb_array_elements(said -> 'path') AS point
    UNION ALL
    SELECT study, rule, (said ->> 'ess')::numeric, NULL, (said ->> 'events')::int,
           (said ->> 'events')::int, (said ->> 'events')::int, (said ->> 'events')::int
      FROM watch.last_decision
    UNION ALL
    SELECT study, rule,
           greatest((said ->> 'complete')::numeric + (said ->> 'pending')::numeric,
                    (said ->> 'ess')::numeric),
           NULL, NULL, (said ->> 'events')::int,
           (said ->> 'events')::int + (said ->> 'pending')::int, NULL
      FROM watch.last_decision WHERE (said ->> 'pending')::int > 0
)
SELECT study,
       rule,
       size,
       max(boundary) AS boundary,
       max(events) AS events,
       max(pending_none) AS pending_none,
       max(pending_all) AS pending_all,
       max(now) AS now
  FROM points GROUP BY study, rule, size;
