"""One record: what it says, why, what changed, who judged it, and the form to judge it."""

from collections.abc import Mapping

from starlette.responses import Response

from services.acts.assignment import load_owners
from services.acts.seen_content import hash_seen
from services.charts.course import draw_course_chart
from services.console.pages.participants import find_seen
from services.console.respond import render, respond_picture
from services.console.visit import NotFoundError, Visit
from services.console.worklist_items import describe_standing
from services.people.rights import find_acting_role, find_verdict_role
from services.safety_rules.adapters.activated_rules import ActivatedRules
from services.safety_rules.reports.course import gather_course
from services.safety_rules.reports.explanation import explain_record
from services.safety_rules.reports.explanation_words import ExplanationWords
from services.store import people, records, sae_clocks
from services.store.acts import ActFilter, load_acts
from services.vocabulary.act import ActKind
from services.vocabulary.episode import Episode
from services.vocabulary.judgement import Verdict
from services.vocabulary.operations import ClockKind

_WITH_COURSE = ("astct-2019.crs", "astct-2019.icans")


def show(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show one record with its evidence."""
    record = find_record(visit, visit.path["record"])
    context = visit.context
    rules = ActivatedRules(context.study.rules, context.study.table)
    with context.db.read() as conn:
        explanation = explain_record(conn, rules, record.id)
        seriousness = sae_clocks.load_seriousness(conn).get(record.id)
        clocks = sae_clocks.load_clocks(conn, [record.id])
        owner = load_owners(conn).get(record.id, "")
        people_rows = people.load_people(conn)
        signed_acts = load_acts(conn, ActFilter(targets=[record.id]))
    latest = explanation.versions[-1]
    return render(
        visit,
        "record.html",
        status,
        record=latest,
        content=latest.content,
        explanation=explanation,
        words=ExplanationWords(explanation),
        standing=describe_standing(latest.content),
        seen=hash_seen(latest),
        seriousness=seriousness,
        clocks=clocks,
        clock_kinds=tuple(ClockKind),
        may_decide=find_acting_role(visit.person, ActKind.SET_SERIOUSNESS) is not None,
        may_start=find_acting_role(visit.person, ActKind.START_CLOCK) is not None,
        acts=signed_acts[::-1],
        acted_times=frozenset(act.acted_at for act in signed_acts),
        owner=owner,
        owners=[
            row.person
            for row in people_rows
            if row.is_active(visit.instant) and find_verdict_role(row.person, Verdict.CONFIRM)
        ],
        may_assign=find_acting_role(visit.person, ActKind.ASSIGN) is not None,
        has_course=latest.content.criterion in _WITH_COURSE,
        verdicts=[one for one in Verdict if find_verdict_role(visit.person, one) is not None],
        signed_word=visit.query.get("signed", "") in tuple(Verdict) and visit.query["signed"],
        fault=fault,
        entered=_keep_entered(visit),
    )


def show_course(visit: Visit) -> Response:
    """Show the signs, the support and the drugs around one syndrome, as a picture."""
    record = find_record(visit, visit.path["record"])
    with visit.context.db.read() as conn:
        course = gather_course(conn, visit.context.study.rules, record.content)
    if course is None:
        raise NotFoundError
    return respond_picture(draw_course_chart(course, "svg"))


def find_record(visit: Visit, record_id: str) -> Episode:
    """Return the newest version of a record.

    Raises:
        NotFoundError: There is none, or it is of another site than the visitor's.
    """
    with visit.context.db.read() as conn:
        versions = records.load_episode_versions(conn, episode_id=record_id)
    if not versions:
        raise NotFoundError
    record = max(versions, key=lambda one: one.version)
    find_seen(visit, record.content.participant)
    return record


def _keep_entered(visit: Visit) -> Mapping[str, str]:
    """Return the fields of a form that was refused, without the password."""
    return {name: visit.read_field(name) for name in ("verdict", "grade", "cause", "reason")}
