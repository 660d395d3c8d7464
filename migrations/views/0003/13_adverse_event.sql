-- Adverse events from the first dose on: participants by term and worst grade, out of the treated.
CREATE VIEW watch.dsmb_adverse_event AS
WITH treated AS (
    SELECT study, count(*) AS treated FROM watch.person
     WHERE first_infusion_at IS NOT NULL GROUP BY study
), worst AS (
    SELECT study, term, criteria, participant, max(worst_at_least) AS worst,
           bool_or(provisional) AS provisional, bool_and(state = 'confirmed') AS confirmed
      FROM watch.record
     WHERE NOT possible AND NOT before_exposure AND state <> 'rejected'
     GROUP BY study, term, criteria, participant
)
SELECT worst.study,
       worst.term,
       worst.criteria,
       count(*) FILTER (WHERE worst = 1) AS grade_1,
       count(*) FILTER (WHERE worst = 2) AS grade_2,
       count(*) FILTER (WHERE worst = 3) AS grade_3,
       count(*) FILTER (WHERE worst = 4) AS grade_4,
       count(*) FILTER (WHERE worst = 5) AS grade_5,
       count(*) FILTER (WHERE worst >= 3) AS grade_3_or_more,
       count(*) AS any_grade,
       treated.treated,
       count(*) FILTER (WHERE confirmed) AS confirmed,
       count(*) FILTER (WHERE provisional) AS provisional,
       cut.data_cut
  FROM worst
  JOIN treated USING (study)
  JOIN watch.dsmb_cut AS cut USING (study)
 GROUP BY worst.study, worst.term, worst.criteria, treated.treated, cut.data_cut;
