"""The pages of the DSMB, read through its own views: pseudonyms and days, no site and no date.

Beside the views stand the terms of the events, which its notices name too, and its own
determinations with the time of each signature.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from starlette.responses import Response

from services.acts.seen_content import hash_seen
from services.alerts.load_evidence import find_event_terms
from services.charts.boundary_path import BoundaryPath, draw_boundary_path
from services.console.determinations import load_determinations
from services.console.respond import render
from services.console.visit import NotFoundError, Visit
from services.people.rights import find_acting_role
from services.store import decisions
from services.store.board import BoardAlert, BoardPoint, BoardRule
from services.store.session import Connection
from services.vocabulary.act import ActKind
from services.vocabulary.alert import AlertKind
from services.vocabulary.judgement import Answer

_KINDS = {kind.value: kind.value.replace("_", " ") for kind in AlertKind}


def show(visit: Visit) -> Response:
    """Show the alerts that wait for the board, the rules, and the adverse events by term."""
    board = visit.context.board
    rules, alerts = board.load_rules(), board.load_alerts()
    return render(
        visit,
        "board.html",
        alerts=[one for one in alerts if not one.is_retracted and not one.closing_reason],
        rules=rules,
        terms=board.load_terms(),
        titles={one.rule: one.title for one in rules},
        kinds=_KINDS,
        seen_alerts=find_seen_alerts(visit, alerts),
    )


def show_rule(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show one rule as the board sees it."""
    board, rule = visit.context.board, find_rule(visit)
    points = [one for one in board.load_points() if one.rule == rule.rule]
    alerts = [one for one in board.load_alerts() if one.rule == rule.rule]
    with visit.context.db.read() as conn:
        determinations = load_determinations(conn, visit.context.study_id, rule.rule)
        seen_hash, terms = _find_decision(visit, conn, rule)
    return render(
        visit,
        "board-rule.html",
        status,
        rule=rule,
        drawing=Markup(draw_boundary_path(make_path(rule, points))),  # noqa: S704 - escaped by its parts
        events=[one for one in board.load_events() if one.rule == rule.rule],
        history=[one for one in board.load_history() if one.rule == rule.rule][::-1],
        alerts=alerts,
        kinds=_KINDS,
        seen_alerts=find_seen_alerts(visit, alerts),
        answer_words=tuple(Answer),
        signed_word=visit.query.get("signed", "") in tuple(Answer) and visit.query["signed"],
        may_determine=find_acting_role(visit.person, ActKind.DETERMINE) is not None,
        seen=seen_hash,
        terms=terms,
        determinations=determinations,
        entered={name: visit.read_field(name) for name in ("answer", "reason")},
        fault=fault,
    )


def show_alert(visit: Visit, status: int = 200, fault: str = "") -> Response:
    """Show one alert of the board."""
    alert = find_alert(visit)
    rules = {one.rule: one for one in visit.context.board.load_rules()}
    return render(
        visit,
        "board-alert.html",
        status,
        alert=alert,
        rule=rules.get(alert.rule),
        kinds=_KINDS,
        has_seen=alert.id in find_seen_alerts(visit, [alert]),
        fault=fault,
    )


def find_rule(visit: Visit) -> BoardRule:
    """Return the rule of the address.

    Raises:
        NotFoundError: There is none.
    """
    rules = visit.context.board.load_rules()
    rule = next((one for one in rules if one.rule == visit.path["rule"]), None)
    if rule is None:
        raise NotFoundError
    return rule


def find_alert(visit: Visit) -> BoardAlert:
    """Return the alert of the address.

    Raises:
        NotFoundError: The board is told of none that is called so.
    """
    alerts = visit.context.board.load_alerts()
    alert = next((one for one in alerts if one.id == visit.path["alert"]), None)
    if alert is None:
        raise NotFoundError
    return alert


def _find_decision(
    visit: Visit, conn: Connection, rule: BoardRule
) -> tuple[str, Mapping[str, str]]:
    """Return the hash of the decision that is shown, and the terms of its events by pseudonym.

    Both are empty when another was made meanwhile.
    """
    for row in decisions.load_latest_decisions(conn, visit.context.study_id):
        if row.decision.rule == rule.rule and row.version == rule.decision:
            return hash_seen(row.decision), find_event_terms(conn, row.decision)
    return "", {}


def find_seen_alerts(visit: Visit, alerts: Sequence[BoardAlert]) -> frozenset[str]:
    """Return those of *alerts* that the visitor has acknowledged for themselves, as they stand."""
    grades = {one.id: one.grade for one in alerts}
    return frozenset(
        one.alert
        for one in visit.load_own_acknowledgements()
        if one.grade >= grades.get(one.alert, one.grade + 1)
    )


def make_path(rule: BoardRule, points: Sequence[BoardPoint]) -> BoundaryPath:
    """Return the chart of *rule* from the points that stand at each size."""
    boundary = [(one.size, one.boundary) for one in points if one.boundary is not None]
    path = [(one.size, one.events) for one in points if one.events is not None]
    ends = [
        (one.size, one.pending_none, one.pending_all)
        for one in points
        if one.pending_none is not None and one.pending_all is not None
    ]
    pending = ends[-1] if rule.pending and ends else None
    planned = max((size for size, _ in boundary), default=float(rule.planned))
    name = "effective number of participants"
    return BoundaryPath(rule.rule, name, max(planned, rule.planned), boundary, path, pending, None)
