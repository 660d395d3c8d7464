-- Worst grade by term and week after transplant, among those who were followed in that week:
-- null where nobody was, 0 where somebody was and nothing was recorded.
CREATE VIEW watch.followed_week AS
SELECT person.study,
       person.participant,
       person.site,
       person.criteria,
       week,
       week * 7 || ' to ' || week * 7 + 6 AS days
  FROM watch.person
 CROSS JOIN LATERAL generate_series(
       floor(extract(epoch FROM first_infusion_at - graft_at) / 86400 / 7)::int,
       floor(extract(epoch FROM greatest(last_observed_at, first_infusion_at) - graft_at)
             / 86400 / 7)::int) AS week
 WHERE first_infusion_at IS NOT NULL AND graft_at IS NOT NULL;

CREATE VIEW watch.graded_week AS
SELECT stretch.study,
       stretch.participant,
       stretch.site,
       stretch.term,
       stretch.criteria,
       week,
       max(stretch.at_least) AS worst,
       bool_or(stretch.state = 'suspected') AS is_suspected
  FROM watch.grade_stretch AS stretch
 CROSS JOIN LATERAL generate_series(floor(first_day / 7.0)::int, floor(last_day / 7.0)::int) AS week
 WHERE NOT stretch.before_exposure AND NOT stretch.possible AND stretch.state <> 'rejected'
 GROUP BY stretch.study, stretch.participant, stretch.site, stretch.term, stretch.criteria, week;

CREATE VIEW watch.term_by_week AS
WITH followed AS MATERIALIZED (SELECT * FROM watch.followed_week),
graded AS MATERIALIZED (SELECT * FROM watch.graded_week),
weeks AS (
    SELECT study, week, count(DISTINCT participant) AS followed
      FROM followed GROUP BY study, week
), terms AS (
    SELECT study, term, criteria, max(worst) AS worst FROM graded GROUP BY 1, 2, 3
), every AS (
    SELECT study, generate_series(min(week), max(week)) AS week FROM weeks GROUP BY study
)
SELECT terms.study,
       terms.criteria,
       terms.term,
       terms.worst AS worst_of_term,
       every.week,
       every.week * 7 || ' to ' || every.week * 7 + 6 AS days,
       weeks.followed,
       CASE WHEN weeks.followed IS NULL THEN NULL ELSE coalesce(max(graded.worst), 0) END AS worst
  FROM terms
  JOIN every USING (study)
  LEFT JOIN weeks USING (study, week)
  LEFT JOIN graded
    ON graded.study = terms.study AND graded.term = terms.term
   AND graded.criteria = terms.criteria AND graded.week = every.week
 GROUP BY terms.study, terms.criteria, terms.term, terms.worst, every.week, weeks.followed;

CREATE VIEW watch.participant_by_week AS
WITH followed AS MATERIALIZED (SELECT * FROM watch.followed_week),
graded AS MATERIALIZED (SELECT * FROM watch.graded_week),
every AS (
    SELECT study, generate_series(min(week), max(week)) AS week FROM followed GROUP BY study
), people AS (
    SELECT study, participant, site, criteria, min(week) AS first_week
      FROM followed GROUP BY 1, 2, 3, 4
)
SELECT people.study,
       people.criteria,
       people.participant,
       people.site,
       people.first_week,
       every.week,
       every.week * 7 || ' to ' || every.week * 7 + 6 AS days,
       CASE WHEN min(followed.week) IS NULL THEN NULL ELSE coalesce(max(graded.worst), 0) END AS worst
  FROM people
  JOIN every USING (study)
  LEFT JOIN followed
    ON followed.participant = people.participant AND followed.week = every.week
  LEFT JOIN graded
    ON graded.participant = people.participant AND graded.week = every.week
 GROUP BY people.study, people.criteria, people.participant, people.site, people.first_week, every.week;
