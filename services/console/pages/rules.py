"""The stopping rules: all of them in a table, and one with its chart, history and suppositions."""

from collections.abc import Sequence

from markupsafe import Markup
from starlette.responses import Response

from services.charts.boundary_path import draw_boundary_path
from services.console.determinations import load_determinations
from services.console.respond import render
from services.console.rule_chart import make_boundary_path
from services.console.visit import NotFoundError, Visit
from services.safety_rules.reports.rule_notes import list_plan_notes
from services.safety_rules.reports.rule_what_if import list_suppositions
from services.store import decisions
from services.store.decisions import DecisionRow
from services.vocabulary.decision import (
    Decision,
    describe_plan_end,
    describe_prior,
    describe_rule_design,
)


def show_list(visit: Visit) -> Response:
    """Show every rule with its last decision."""
    with visit.context.db.read() as conn:
        rows = decisions.load_latest_decisions(conn, visit.context.study_id)
    return render(visit, "rules.html", rows=rows)


def show(visit: Visit) -> Response:
    """Show one rule."""
    context, rule = visit.context, visit.path["rule"]
    with context.db.read() as conn:
        history = decisions.load_decision_history(conn, context.study_id, rule)
        row = find_last(history)
        determinations = load_determinations(conn, context.study_id, rule)
        suppositions = (
            list_suppositions(conn, context.study.rules, rule) if "what-if" in visit.query else None
        )
    decision = row.decision
    return render(
        visit,
        "rule.html",
        row=row,
        decision=decision,
        drawing=Markup(draw_boundary_path(make_boundary_path(decision))),  # noqa: S704 - escaped by its parts
        changes=list_changes(history)[::-1],
        history_count=len(history),
        determinations=determinations,
        first_reached_at=next(
            (one.decision.as_of for one in history if one.decision.crossed_since), None
        ),
        suppositions=suppositions,
        notes=list(list_plan_notes(decision)),
        plan=describe_plan_end(decision),
        prior=describe_prior(decision),
        design=describe_rule_design(decision),
    )


def find_last(history: list[DecisionRow]) -> DecisionRow:
    """Return the last decision of a rule.

    Raises:
        NotFoundError: It has none.
    """
    if not history:
        raise NotFoundError
    return history[-1]


def list_changes(history: Sequence[DecisionRow]) -> list[DecisionRow]:
    """Return the decisions that said something else than the one before; sizes alone do not."""
    return [
        row
        for row, previous in zip(history, (None, *history), strict=False)
        if previous is None or _says(row.decision) != _says(previous.decision)
    ]


def _says(decision: Decision) -> tuple[object, ...]:
    return decision.signal, decision.events, decision.confirmed, decision.determination
