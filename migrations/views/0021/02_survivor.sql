-- Whose records each participant's facts belong to, if no visit was moved, as the last step found it.
CREATE OR REPLACE VIEW watch.survivor AS
SELECT participant.subject, coalesce(milestones.survivor, participant.subject) AS participant
  FROM public.participant
  LEFT JOIN public.participant_milestones AS milestones ON milestones.subject = participant.subject;
