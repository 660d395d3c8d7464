"""Participants: a list by pseudonym, and one of them at a look."""

from collections.abc import Sequence

from markupsafe import Markup
from starlette.responses import Response

from services.charts.lab_course import draw_lab_course
from services.charts.swimmer import draw_swimmer
from services.console.current_records import ParticipantRecords
from services.console.list_page import cut_page
from services.console.respond import render
from services.console.visit import NotFoundError, Visit
from services.console.worklist_items import describe_standing, is_waiting
from services.safety_rules.reports.folded_participant import fold_participant
from services.safety_rules.reports.lab_series import list_lab_series
from services.safety_rules.reports.participant_swimmer import find_day_axis, gather_swimmer
from services.store import participant_queries, records
from services.store.participant_advice import load_current_advice
from services.vocabulary.episode import Episode, EpisodeContent

_SYNDROMES = ("astct-2019.crs", "astct-2019.icans")


def show_list(visit: Visit) -> Response:
    """Show everybody whom the visitor sees, the worst first."""
    with visit.context.db.read() as conn:
        records_by_participant = visit.context.records.load(conn)
    words = visit.query.get("words", "").strip().lower()
    seen_participants = [
        participant_records
        for participant_records in records_by_participant.values()
        if visit.sees_site(participant_records.site)
        and words in f"{participant_records.participant} {participant_records.site}".lower()
    ]
    return render(
        visit,
        "participants.html",
        page=cut_page(sorted(seen_participants, key=_rank), visit.query),
        words=words,
        find_worst=find_worst,
        count_waiting=lambda participant_records: sum(
            map(is_waiting, participant_records.episodes)
        ),
    )


def show(visit: Visit) -> Response:
    """Show one participant: the course, laboratories, records, queries and standings."""
    participant_records = find_seen(visit, visit.path["participant"])
    participant = participant_records.participant
    context = visit.context
    rules = context.study.rules
    contents = [one.content for one in participant_records.episodes]
    with context.db.read() as conn:
        folded_participant = fold_participant(conn, rules, participant)
        standings = records.load_standings(conn, [participant])
        by_subject = participant_queries.load_current_queries(
            conn, context.study_id, rules.version, visit.instant, participant
        )
        advice = load_current_advice(
            conn, context.study_id, rules.version, visit.instant, participant
        )
    charted_contents = [one for one in contents if not one.possible]
    swimmer = gather_swimmer(folded_participant, rules, participant, charted_contents)
    axis = find_day_axis(folded_participant.fold.anchors, ())
    laboratory = sorted({one.criterion for one in contents if rules.is_laboratory(one.criterion)})
    series = list_lab_series(folded_participant, rules, laboratory, axis) if axis else ()
    return render(
        visit,
        "participant.html",
        participant_records=participant_records,
        episodes=sorted(participant_records.episodes, key=lambda one: one.content.onset_at),
        swimmer=Markup(draw_swimmer(swimmer)) if swimmer else None,  # noqa: S704 - escaped by its parts
        charts=[(one, Markup(draw_lab_course(one))) for one in series],  # noqa: S704
        anchors=folded_participant.fold.anchors,
        courses=[
            one for one in participant_records.episodes if one.content.criterion in _SYNDROMES
        ],
        queries=by_subject.get(participant),
        advice=advice.get(participant),
        standings=[row.standing for row in standings],
        titles={rule.id: rule.title for rule in rules.protocol.rules},
        describe_standing=describe_standing,
    )


def _rank(participant_records: ParticipantRecords) -> tuple[int, str]:
    return -find_worst(participant_records.episodes), participant_records.participant


def find_seen(visit: Visit, participant: str) -> ParticipantRecords:
    """Return the records of *participant*.

    Raises:
        NotFoundError: Nobody is called so, or it is one of another site than the visitor's.
    """
    with visit.context.db.read() as conn:
        participant_records = visit.context.records.load(conn).get(participant)
    if participant_records is None or not visit.sees_site(participant_records.site):
        raise NotFoundError
    return participant_records


def find_worst(episodes: Sequence[Episode]) -> int:
    """Return the worst grade of records that count; 0 when there is none."""
    return max((_grade(one.content) for one in episodes), default=0)


def _grade(content: EpisodeContent) -> int:
    return 0 if content.before_exposure or content.possible else int(content.worst.at_least)
