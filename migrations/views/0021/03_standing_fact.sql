-- The facts that stand, under the name of whom they belong to, as far as they are folded. Most are as
-- the journal has them; the rules write the place of each that is not. Movements are left out: no
-- view shows them.
CREATE OR REPLACE VIEW watch.standing_fact AS
SELECT placed.participant,
       placed.id,
       placed.kind,
       placed.observed_at::timestamptz AS observed_at,
       content -> 'body' AS body,
       is_promoted OR coalesce(content ->> 'status', 'F') NOT IN ('I', 'P', 'R', 'S') AS is_final
  FROM (
        SELECT fact.subject AS participant, fact.id, fact.kind, fact.observed_at, fact.payload,
               false AS is_promoted
          FROM public.fact
          JOIN public.participant_state AS state
            ON state.subject = fact.subject AND state.folded_through >= fact.seq
         WHERE NOT EXISTS (SELECT FROM public.fact_place AS place
                            WHERE place.subject = fact.subject AND place.fact = fact.id)
        UNION ALL
        SELECT place.participant, fact.id, fact.kind, fact.observed_at, fact.payload, place.is_promoted
          FROM public.fact_place AS place
          JOIN public.fact ON fact.id = place.fact
         WHERE place.participant IS NOT NULL
       ) AS placed
 CROSS JOIN LATERAL (SELECT placed.payload::jsonb AS content OFFSET 0) AS read_once
 WHERE placed.kind <> 'movement';
