"""The columns of every table that a command prints, each with what it holds.

The tables take their headings from here and the help of each command its explanations, so that
neither can drift from the other.
"""

import shutil
import textwrap

Columns = tuple[tuple[str, str], ...]  # heading, and a sentence; two columns may share a heading

_WIDEST = 100

RECORDS: Columns = (
    ("participant", "Pseudonym."),
    ("term", "Adverse event as CTCAE, or the scale that it is graded on, publishes it."),
    ("worst", "Worst grade of the record; 2-4: known to lie between the two."),
    ("now", "Grade of the last reading; - when the event is resolved."),
    ("transplant day", "Day of the onset; the graft is day 0."),
    ("treatment day", "Day of the onset; the first dose is day 1, - before it."),
    ("onset (UTC)", "First instant at which the grade was above that before exposure."),
    ("resolved (UTC)", "First instant at which it no longer was; - while it still is."),
    (
        "state",
        "suspected, confirmed or rejected; possible: not certain; provisional: not final.",
    ),
    ("record", "How the id of the record begins: for `aegis explain` and `aegis adjudicate`."),
)
RULES: Columns = (
    ("rule", "Id of the stopping rule."),
    ("title", "What the rule counts."),
    ("events", "Participants with an event, as the rule counts them."),
    ("confirmed", "Those of them whose event a clinician confirmed."),
    ("at most", "Events when incomplete grades are taken at their upper ends."),
    ("evaluable", "Participants who were exposed, within the plan."),
    ("effective", "Participants, each weighted by the part of the window that counts already."),
    ("boundary", "Events that stop at that size, or at the next look; - when none can."),
    (
        "left",
        "Events missing to the boundary: at that size / if they come from new participants.",
    ),
    (
        "certain",
        "reached; else: whatever those pending do (certain), perhaps (possible), or not (no).",
    ),
    ("by n", "Predictive probability of reaching the boundary by the planned maximum, or reached."),
    ("ever reached (UTC)", "When it was first known to be reached, also if it no longer is."),
    ("says", "continue, boundary likely, or boundary reached: review required."),
)
RULES_SITES: Columns = (
    ("rule", "Id of the stopping rule."),
    ("site", "The site that is compared."),
    ("events", "Participants of the site with an event, of those treated."),
    ("effective", "What the site's participants count for so far, by the rule's own policy."),
    ("the rest", "Participants of all other sites with an event, of those treated."),
    ("effective", "What they count for so far."),
    ("p more", "Probability of that many events or more at the site (Fisher, one-sided)."),
    ("Holm", "The same, adjusted for all comparisons that can stand out; - when this cannot."),
    ("p two-sided", "Probability of every table as improbable as this one."),
    ("Holm", "The same, adjusted; - when it cannot stand out."),
    ("least p", "The smallest one-sided p that these margins allow."),
    ("window over", "Site : rest, of those who were followed through the whole window."),
    ("p more", "One-sided p among those."),
    ("says", "more than the rest, could not stand out, or no difference seen."),
)
ALERTS: Columns = (
    ("alert", "Its four letters: for `aegis alerts show` and `aegis alerts ack`."),
    ("version", "How often the alert has changed, and once more."),
    ("level", "study, participant or operations."),
    ("kind", "Why it was raised."),
    ("about", "The participant, or the rule."),
    ("grade or events", "Grade of the adverse event, or events that the rule counts."),
    ("since (UTC)", "When the facts behind it were known."),
    ("state", "Who has seen it and who has not, snoozed, answered, retracted, overtaken."),
)
ROUTES: Columns = (
    ("level", "study, participant or operations."),
    ("kind", "Why it would be raised."),
    ("about", "The participant, or the rule."),
    ("grade or events", "Grade of the adverse event, or events that the rule counts."),
    ("told", "Who is told first, in which role and over which channel."),
    ("within", "Hours in which somebody has to acknowledge it."),
    ("then", "Roles that are told one after the other while somebody has not."),
)
CLOCKS: Columns = (
    ("record", "How its id begins: for `aegis clocks start` and `close`."),
    ("participant", "Pseudonym."),
    ("term", "Of the record."),
    ("clock", "24h: site to sponsor; 7d and 15d: calendar days to the authorities."),
    ("aware (UTC)", "Since when somebody has known, from which it runs."),
    ("due (UTC)", "When it ends."),
    ("left", "Time to its end; proposed: the facts say that it may be serious, a person decides."),
)
ACKNOWLEDGEMENTS: Columns = (
    ("seen (UTC)", "When the alert was acknowledged."),
    ("by", "Who acknowledged it."),
    ("comment", "What they said with it; - when nothing."),
)
DELIVERIES: Columns = (
    ("since (UTC)", "When the notice was recorded."),
    ("told", "The recipient, as recipients.yaml calls them."),
    ("role", "For which the recipient is told."),
    ("by", "The channel: email, webhook, ..."),
    ("why", "What made the notice necessary."),
    ("state", "What became of the notice: waiting, sent, ..."),
    ("attempts", "How often sending was tried."),
    ("problem", "What went wrong at the last attempt; - when nothing did."),
)
PARKED: Columns = (
    ("item", "How its id begins: for `aegis parked discard`."),
    ("site", "The site that sent it."),
    ("since (UTC)", "When it was parked."),
    ("where", "Place in the message, e.g. OBX[3].5."),
    ("reason", "What is missing, in a word."),
    ("detail", "What is missing; the sender's words only for who may see them."),
)
REFUSED_MESSAGES: Columns = (
    ("message", "How its id begins: for `aegis refused show`."),
    ("refused (UTC)", "When the message was refused first."),
    ("site", "The site that sent it; - when its sender is not known."),
    ("sender", "Sending application and facility (MSH-3 and MSH-4); - for who may not see it."),
    ("control id", "Number of the message for its sender (MSH-10); - for who may not see it."),
    ("by", "How it came: mllp, http or file."),
    ("problem", "Where it is wrong, why, and what to do."),
)
ACTS: Columns = (
    ("at (UTC)", "When the person acted."),
    ("person", "Name and role; a machine acts as itself."),
    ("act", "What was done."),
    ("participant", "Pseudonym; - when it is about none, or many."),
    ("about", "The record, rule, alert, person or code: how its id begins."),
    ("change", "The value before -> the value after."),
    ("reason", "As the person gave it."),
    ("signed", "How the person proved their identity again, and the meaning; - when not signed."),
)
ACTIVATIONS: Columns = (
    ("since (UTC)", "From then on the study ran by these files."),
    ("person", "Who let them run; the machine: initial."),
    ("files", "Version of the protocol, criteria, and the files that were others before."),
    ("rules", "Version of the rules: meaning of protocol and criteria, and the code."),
    ("reason", "As the person gave it."),
)
PARTICIPANTS: Columns = (
    ("participant", "Pseudonym."),
    ("site", "The site that enrolled the participant."),
    ("facts", "How many facts are known."),
    ("last heard (UTC)", "When the last of them was received."),
)
SITES: Columns = (
    ("site", "Id of the site in sites.yaml."),
    ("time zone", "Zone of times that say no offset."),
    ("sends as", "Sending applications and facilities (MSH-3 and MSH-4) that are the site's."),
    ("from", "Addresses and certificates that alone may speak for it by MLLP; - when not named."),
)
SITE_KEYS: Columns = (
    ("site", "Site that the key speaks for."),
    ("name", "Name of the key within its site."),
    ("state", "valid, expired or revoked."),
    ("made (UTC)", "When it was made."),
    ("ends (UTC)", "When it ends or was revoked; - when it is valid until somebody revokes it."),
    ("last use (UTC)", "When it was used last, to the hour; - never."),
)
KEYS: Columns = (
    ("key", "Its id, by which messages name it; - of a file that never was in use."),
    (
        "for",
        "encryption of messages, identity (hashes of identifiers), seal of the audit trail, links.",
    ),
    ("file", "In the folder of the keys."),
    ("since (UTC)", "When the database first named it."),
    (
        "state",
        "encrypts (the newest), being replaced, can be retired, retired, not in use; else: in use.",
    ),
    ("messages", "How many are encrypted with it."),
    ("problem", "What is wrong with the file; - when nothing is."),
)
ENDPOINTS: Columns = (
    ("endpoint", "Event that is looked for."),
    ("at risk", "Participants who were at risk on some day."),
    ("events", "How many had the event."),
    ("competing first", "How many had a competing event before it, by event."),
    ("day N", "Probability by day N with its 95 % interval (events by then, at risk that day)."),
)
GROUPS: Columns = (
    ("endpoint", "Event that is looked for."),
    ("group", "Of the file."),
    ("at risk", "Participants of the group who were at risk on some day."),
    ("events", "How many had the event."),
    ("competing", "How many had a competing event before it."),
    ("probability", "Of the event, or of survival, by each landmark of the protocol."),
    ("p", "Of no difference between the groups, by Gray's test; - when there is none to make."),
)
ADVERSE_EVENTS: Columns = (
    ("term", "Adverse event; the first row is of all together."),
    *((f"{grade}", f"Participants whose worst certain grade is {grade}.") for grade in range(1, 6)),
    ("any grade", "Participants with it, of those evaluable, with an exact 95 % interval."),
    ("grade 3 or worse", "The same of grades 3 to 5."),
    ("at most", "Participants with grade 3 or worse, incomplete grades at their upper ends."),
)
ENGRAFTMENT: Columns = (
    ("participant", "Pseudonym."),
    ("neutrophils", "First transplant day of recovery: 0.5 x 10*9/L on three days in a row."),
    ("platelets", "The same: 20 x 10*9/L, 7 days after the last transfusion of platelets."),
    ("transfusions", "Of platelets, or of a product that was not named, since the graft."),
    ("last on day", "Transplant day of the last of them."),
    ("graft", "A failure that the counts propose, or what a clinician said of the graft."),
)
PROTOCOL_CHECK: Columns = (
    ("rule", "Id of the stopping rule."),
    ("table recomputed, as signed", "Events@evaluable that stop: as signed, and as computed."),
    ("attained", "Exact one-sided type I error of that table."),
    ("alpha", "Nominal one-sided type I error."),
    ("examples run", "How many worked examples came out as they are written."),
)
PROTOCOL_RULES: Columns = (
    ("rule", "Id of the stopping rule."),
    ("p0", "Acceptable event rate."),
    ("alpha", "Nominal one-sided type I error at p0."),
    ("exact", "Attained one-sided type I error at p0."),
    ("n", "Planned maximum of participants."),
    ("says", "Whether the rule alerts, or is watched only."),
)
_STOPPING: Columns = (
    ("rate", "True event rate; (p0) marks the acceptable one."),
    ("P(stop)", "Probability of ever stopping."),
    ("E[evaluated]", "Expected participants evaluated when it stops, or the planned maximum."),
    ("E[events]", "Expected events among them."),
)
_MEDIAN_STOP: Columns = (
    ("median stop", "Evaluated participants by which half of the trials that stop have stopped."),
)
ENROLMENT: Columns = (
    ("E[enrolled]", "Expected participants enrolled by then."),
    ("E[days]", "Expected days from the opening of accrual to then."),
)
CHARACTERISTICS: Columns = (*_STOPPING, *ENROLMENT, *_MEDIAN_STOP)
BOUNDARY: Columns = (*_STOPPING, *_MEDIAN_STOP)  # and ENROLMENT, with --accrual-days
PERSON_TIME: Columns = (
    ("rate", "True event rate within the window of p0; (p0) marks the acceptable one."),
    ("hazard ratio", "True hazard, divided by the acceptable one."),
    ("P(stop)", "Probability of ever stopping."),
    ("E[person-time]", "Expected person-time when it stops, or that of the plan."),
    ("E[events]", "Expected events by then."),
    ("median stop", "Person-time by which half of the trials that stop have stopped."),
)
TIME_DESIGNS: Columns = (
    ("family", "Family of stopping rules of person-time, with its shape."),
    ("attained", "Exact one-sided type I error at p0."),
    ("power at p1", "Probability of stopping at p1."),
    ("person-time at p0", "Expected person-days when it stops, or of the plan, at p0."),
    ("at p1", "The same at p1."),
    ("median stop at p1", "Person-days by which half of the trials that stop at p1 have stopped."),
    ("stop at events@person-days", "Events that stop, up to each person-time."),
)
DESIGNS: Columns = (
    ("family", "Family of stopping rules, with its shape."),
    ("attained", "Exact one-sided type I error at p0."),
    ("power at p1", "Probability of stopping at p1."),
    ("enrolled at p0", "Expected participants enrolled when it stops, or the maximum, at p0."),
    ("at p1", "The same at p1."),
    ("median stop at p1", "Evaluated by which half of the trials that stop at p1 have stopped."),
    ("stop at events@evaluable", "Events that stop, at each number of evaluated participants."),
)
CHANGED_RECORDS: Columns = (
    ("participant", "Pseudonym."),
    ("term", "Adverse event."),
    ("old", "Worst grade now; - when there is no record now."),
    ("new", "Worst grade then; - when there would be no record."),
    ("would be", "How the record would change."),
    ("transplant day", "Day of the onset; the graft is day 0."),
    ("treatment day", "Day of the onset; the first dose is day 1."),
)
CHANGED_RULES: Columns = (
    ("rule", "Id of the stopping rule."),
    ("title", "What the rule counts."),
    ("now", "Events of evaluable participants now."),
    ("then", "Events of evaluable participants then."),
    ("says now", "What the rule says now."),
    ("would say", "What the rule would say then."),
)
TOPICS: Columns = (
    ("topic", "Name of the topic."),
    ("what", "What of it differs; who writes, who reads: rights (ACLs) of the sites of the study."),
    ("declared", "As deploy/kafka/topics.yaml declares it; of rights, as sites.yaml has it."),
    ("found", "As the brokers have it."),
)
SIMULATION: Columns = (
    ("counting", "How pending participants are counted; * marks the rule's own way."),
    ("P(stop)", "Share of the simulated trials that stop."),
    ("+-", "Standard error of that share."),
    ("enrolled", "Mean participants enrolled when the trial stops, or of the whole trial."),
    ("events", "Mean events by then."),
)
SENSITIVITY: Columns = (
    ("prior", "Beta prior that the boundary is calibrated with; * marks the rule's own row."),
    ("onset", "How soon events really come; the rule counts by its own curve."),
    ("attained", "Exact one-sided type I error at p0, with every window complete."),
    ("P(stop) at P", "Share of the simulated trials that stop at that event rate."),
)
SIZED_DESIGNS: Columns = (
    ("alpha", "Nominal one-sided error at p0."),
    ("prior", "Beta prior; - when the family has none."),
    ("n", "The smallest plan with that power; - when none of up to 300 has it."),
    ("attained", "Exact one-sided type I error at p0, with every window complete."),
    ("power", "Exact power at p1, with every window complete."),
    ("live at p0", "Share of the simulated trials that stop at p0."),
    ("live at p1", "The same at p1."),
    ("enrolled at p1", "Mean participants enrolled when the trial stops, or of the whole trial."),
    ("stop at events@evaluable", "Events that stop, at each number of evaluated participants."),
)
PROTOCOL_SIMULATION: Columns = (
    ("rule", "Id of the stopping rule; any: the first that stops, of those that may."),
    ("rate", "True event rate within the window."),
    ("P(stop)", "Share of the simulated trials that stop."),
    ("+-", "Standard error of that share."),
    ("enrolled", "Mean participants enrolled when the trial stops, or of the whole trial."),
)
SHARED_ALPHA: Columns = (
    ("rule", "Id of the stopping rule."),
    ("alpha", "Its nominal error, cut so that all rules together err as asked."),
    ("attained", "Exact one-sided type I error at p0."),
    ("stop at events@evaluable", "Events that stop, at each number of evaluated participants."),
)
PEOPLE: Columns = (
    ("person", "Id by which they sign in."),
    ("name", "As it stands on signatures."),
    ("e-mail", "Where notices go."),
    ("roles", "What they may do and see: `aegis people roles`."),
    ("site", "Of site staff: the one that they see."),
    ("state", "active, not active (yet, or any more), or ended for good."),
    ("since (UTC)", "When an administrator made them."),
)
ROLES: Columns = (
    ("role", "Its id."),
    ("does", "Acts that it may do; each is written down with who, when and why."),
    ("sees", "Pages of the console; for another role there are none."),
)
CHANCES: Columns = (
    ("event rate", "If this share of the participants has the event within the window."),
    ("those pending", "Chance to reach the boundary while those pending complete."),
    ("by n", "Chance to reach it by the planned maximum."),
)
TIME_CHANCES: Columns = (
    ("event rate", "If this is the risk of the event within the window of p0."),
    ("by the end", "Chance to reach the boundary by the end of the plan."),
)
ARMS: Columns = (
    (
        "contrast",
        "Difference: rate of the first arm less that of the control; ratio: in units of it.",
    ),
    ("value", "As observed; - without an event in the control."),
    ("from", "Lower end of the exact interval."),
    ("to", "Upper end; - when no value is too large."),
)
TWO_SIDED: Columns = (
    ("rate", "True event rate."),
    ("P(too harmful)", "Probability of ever stopping at the upper limit."),
    ("P(safe enough)", "Probability of ever stopping at the lower limit."),
    ("P(neither)", "Probability that the plan ends between the two."),
    ("E[evaluated]", "Expected participants evaluated when it stops, or the maximum."),
)


def list_headings(columns: Columns) -> tuple[str, ...]:
    """Return the first line of a table."""
    return tuple(heading for heading, _ in columns)


def describe_columns(columns: Columns) -> str:
    """Return each column with its explanation, as wide as the terminal.

    >>> print(describe_columns((("site", "Id of the site."),)))
    columns:
      site  Id of the site.
    """
    wide = min(shutil.get_terminal_size().columns, _WIDEST) - 2
    indent = max(len(heading) for heading in list_headings(columns)) + 4
    lines = ["columns:"]
    for heading, meaning in columns:
        lines += textwrap.wrap(
            meaning,
            wide,
            initial_indent=f"  {heading}".ljust(indent),
            subsequent_indent=" " * indent,
        )
    return "\n".join(lines)
