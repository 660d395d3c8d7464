"""The safety officer's worklist: what is open, who has what, since when, and why."""

from grafana_foundation_sdk.builders import dashboard as builders

from deploy.grafana import colours
from deploy.grafana.boards import board, with_cut
from deploy.grafana.panels import FILLED_CELL, Look, Panels, matrix, table_of
from deploy.grafana.queries import SAFETY, Sql

_GRADE: Look = FILLED_CELL | {
    "mappings": colours.grades(),
    "custom.width": 80,
    "custom.align": "center",
}
_LEFT_AXIS: Look = FILLED_CELL | {
    "unit": "dtdurations",
    "custom.width": 150,
    "thresholds": {
        "mode": "absolute",
        "steps": [
            {"value": None, "color": colours.STOP},
            {"value": 0, "color": colours.LIKELY},
            {"value": 4 * 3600, "color": colours.CLEAR},
        ],
    },
}
_AGE: Look = {"unit": "dtdurations", "custom.width": 150}
_HIDDEN_COLUMN: Look = {"custom.hidden": True}
_COURSE = (
    "/d/aegis-course?var-study=${study}&var-participant=${__data.fields.Participant}"
    "&from=${__data.fields.from_ms}&to=${__data.fields.to_ms}"
)
_LINK: Look = {"links": [{"title": "Course of this record", "url": _COURSE}]}


def safety() -> builders.Dashboard:
    """Return the dashboard."""
    dashboard = board(
        "aegis-safety",
        "Safety officer: worklist",
        "Open alerts, adverse events by week after transplant, and every record with its reason.",
        ["safety"],
        "1m",
    )
    return (
        with_cut(dashboard, SAFETY)
        .with_panel(_cut_panel())
        .with_panel(_open_alerts())
        .with_panel(_terms())
        .with_panel(_participants())
        .with_panel(_records())
    )


def _cut_panel() -> Panels:
    return table_of(
        "Data cut",
        "How far the data go; participants whose records are not up to date wait or are set aside.",
        Sql(
            SAFETY,
            """
            SELECT data_to AS "Data to (UTC)", facts AS "Facts", waiting AS "Not graded yet",
            not_up_to_date AS "Participants not up to date", protocol_version AS "Protocol version",
            criteria AS "Criteria"
            FROM watch.cut WHERE study = ${study:sqlstring}
            """,
        ),
        height=3,
    )


def _open_alerts() -> Panels:
    return table_of(
        "Open alerts",
        "Nobody has acknowledged these as they stand; the oldest and the worst first. The clock"
        " runs from the first notice; negative: overdue.",
        Sql(
            SAFETY,
            """
            SELECT left_s AS "Clock left", age_s AS "Age", level AS "Level", kind AS "Kind",
            grade AS "Grade", about AS "About", participant AS "Participant", site AS "Site",
            transplant_day AS "Transplant day", treatment_day AS "Treatment day",
            standing AS "Standing", because AS "Because", notices AS "Notices",
            undelivered AS "Not delivered", criteria AS "Criteria", protocol AS "Protocol"
            FROM watch.alert WHERE study = ${study:sqlstring} AND state = 'open'
            ORDER BY left_s, grade DESC NULLS LAST, alert
            """,
        ),
        {"Grade": _GRADE, "Clock left": _LEFT_AXIS, "Age": _AGE},
        height=10,
    )


def _terms() -> Panels:
    return matrix(
        "Adverse events by term and day after transplant: worst grade",
        "From the first dose on, by lower ends of grades; suspected and confirmed, neither possible"
        " nor rejected ones. 0: somebody was followed and nothing was recorded; no data: nobody was"
        " followed then.",
        Sql(
            SAFETY,
            """
            SELECT term || ' (' || criteria || ')' AS "Term", days AS "Days", worst AS "Grade"
            FROM watch.term_by_week WHERE study = ${study:sqlstring}
            ORDER BY worst_of_term DESC, term, criteria, week
            """,
        ),
        row="Term",
        column="Days",
        height=14,
    )


def _participants() -> Panels:
    return matrix(
        "Participants by day after transplant: worst grade of any term",
        "One line for each participant, from the first dose to the last data. Suspected and"
        " confirmed, neither possible nor rejected ones, of every set of criteria.",
        Sql(
            SAFETY,
            """
            SELECT participant || ' (' || site || ')' AS "Participant", days AS "Days",
            worst AS "Grade"
            FROM watch.participant_by_week WHERE study = ${study:sqlstring}
            ORDER BY participant, week
            """,
        ),
        row="Participant",
        column="Days",
        height=12,
    )


def _records() -> Panels:
    return table_of(
        "Records",
        "Every adverse event record as it is now, with the reason of its worst grade and what is"
        " missing for an exact one. The link opens the bedside course around it.",
        Sql(
            SAFETY,
            """
            SELECT participant AS "Participant", site AS "Site", term AS "Term", worst AS "Worst",
            CASE WHEN resolved_at IS NULL THEN now END AS "Now", standing AS "Standing",
            because AS "Because", missing AS "Missing", transplant_day AS "Transplant day",
            treatment_day AS "Treatment day", onset_at AS "Onset (UTC)",
            resolved_at AS "Resolved (UTC)", serious AS "Serious", confounders AS "Confounders",
            attribution AS "Attribution", part_of AS "Part of", windows AS "Windows",
            criteria AS "Criteria", recorded_at AS "Recorded (UTC)",
            (extract(epoch FROM onset_at) * 1000 - 86400000)::bigint AS "from_ms",
            (extract(epoch FROM coalesce(resolved_at, onset_at + interval '6 days')) * 1000
            + 86400000)::bigint AS "to_ms"
            FROM watch.record WHERE study = ${study:sqlstring}
            ORDER BY onset_at DESC, participant, term
            """,
        ),
        {
            "Worst": _GRADE,
            "Now": _GRADE | {"mappings": [*colours.grades()[:-1], colours.no_data("resolved")]},
            "Term": _LINK | {"custom.width": 260},
            "Because": {"custom.width": 320},
            "from_ms": _HIDDEN_COLUMN,
            "to_ms": _HIDDEN_COLUMN,
        },
        height=16,
    )
