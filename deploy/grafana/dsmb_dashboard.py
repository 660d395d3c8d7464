"""The DSMB's view of the stopping rules: no site, no calendar date, the data cut on every panel."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import VariableOption

from deploy.grafana import colours
from deploy.grafana.boards import board, default_value, with_cut
from deploy.grafana.panels import FILLED_CELL, Look, Panels, against_size, colour_override, table_of
from deploy.grafana.queries import DSMB, Sql

_SIGNAL: Look = FILLED_CELL | {"mappings": colours.words(colours.SIGNALS), "custom.width": 260}
_PART: Look = {"unit": "percentunit", "decimals": 0}
_WIDE: Look = {"custom.width": 480}
_PARTS: tuple[str, ...] = (
    "Predictive",
    "Ever cross at p0",
    "Pending cross at p0",
    "Pending cross at posterior mean",
    "Event rate",
    "Lower 95 %",
    "Upper 95 %",
)
_GRADE: Look = FILLED_CELL | {"mappings": colours.grades(), "custom.align": "center"}
_OF_STUDY = "study = ${study:sqlstring}"
_IF_NO_EVENT, _IF_ALL_EVENTS = (
    "If no pending participant has the event",
    "If every pending one has it",
)


def dsmb() -> builders.Dashboard:
    """Return the dashboard."""
    dashboard = board(
        "aegis-dsmb",
        "DSMB: stopping rules",
        "Each stopping rule against its signed boundary. Participants are pseudonyms; days are"
        " transplant days (graft = day 0) and treatment days (first dose = day 1).",
        ["dsmb"],
        "5m",
    )
    rules = f"SELECT rule FROM watch.dsmb_rule WHERE {_OF_STUDY} ORDER BY rule"
    every = VariableOption(selected=True, text="All", value="$__all")
    rule = default_value("rule", "Rule", rules, DSMB).multi(True).include_all(True).current(every)  # noqa: FBT003 - the builder's signature
    return (
        with_cut(dashboard, DSMB)
        .with_variable(rule)
        .with_panel(_numbers())
        .with_panel(_boundary())
        .with_panel(_chances())
        .with_panel(_events())
        .with_panel(_sensitivity())
        .with_panel(_history())
        .with_panel(_adverse_events())
    )


def _numbers() -> Panels:
    return table_of(
        "What the rules say",
        "The last decision of each rule, as it was told. A rule that is only watched never alerts."
        " The boundary is that of the effective size, events left too; no data: none can stop yet."
        " Left from new: events if each comes from a new participant, who adds to the size.",
        Sql(
            DSMB,
            f"""
            SELECT rule AS "Rule", title AS "Title", signal AS "Says",
            CASE WHEN watch_only THEN 'watched' ELSE 'alerts' END AS "Kind", events AS "Events",
            confirmed AS "Confirmed", events - confirmed AS "Suspected",
            at_upper_grades AS "At upper grades", treated AS "Treated", complete AS "Complete",
            pending AS "Pending", round(effective_size, 1)::float AS "Effective size",
            boundary AS "Boundary", events_left AS "Events left",
            events_left_from_new AS "Left from new", planned AS "Planned",
            determination AS "DSMB's answer", recommends AS "Recommended", decision AS "Decision",
            protocol AS "Protocol", data_cut AS "Data cut", in_words AS "Counts"
            FROM watch.dsmb_rule WHERE {_OF_STUDY} ORDER BY watch_only, rule
            """,
        ),
        {
            "Says": _SIGNAL,
            "Boundary": {"mappings": [colours.no_data("not yet")]},
            "Counts": _WIDE,
            "Data cut": _WIDE,
        },
        height=9,
    )


def _boundary() -> Panels:
    panel = against_size(
        "$rule",
        "Events against the effective number of evaluable participants. The rule stops inside the"
        " shaded region, its lower edge included; a size between two whole ones is looked up at the"
        " upper one. The blue band is what those pending may still bring. Suspected events count"
        " until they are rejected, by lower ends of grades.",
        Sql(
            DSMB,
            f"""
            SELECT size::float AS "Effective size",
            CASE WHEN boundary IS NOT NULL
            THEN max(greatest(boundary, events, pending_all)) OVER () + 1 END AS "Stop region",
            boundary AS "Stop at or above", events AS "Events so far",
            pending_none AS "{_IF_NO_EVENT}", pending_all AS "{_IF_ALL_EVENTS}", now AS "Now"
            FROM watch.dsmb_boundary WHERE {_OF_STUDY} AND rule = ${{rule:sqlstring}} ORDER BY size
            """,
        ),
        {
            "Stop region": colour_override(
                colours.STOP, lineWidth=0, lineInterpolation="stepAfter", fillOpacity=16,
                fillBelowTo="Stop at or above",
            ),
            "Stop at or above": colour_override(colours.STOP, lineInterpolation="stepAfter"),
            "Events so far": colour_override(colours.CURRENT, lineInterpolation="stepAfter"),
            _IF_NO_EVENT: colour_override(colours.PENDING, lineWidth=1),
            _IF_ALL_EVENTS: colour_override(
                colours.PENDING, lineWidth=1, fillOpacity=35, fillBelowTo=_IF_NO_EVENT
            ),
            "Now": colour_override(
                colours.CURRENT, drawStyle="points", showPoints="always", pointSize=12
            ),
        },
    )  # fmt: skip
    return panel.repeat("rule").repeat_direction("h").max_per_row(2)


def _chances() -> Panels:
    return table_of(
        "How sure that is",
        "One-sided probabilities. Predictive: of ever reaching the boundary by the planned number,"
        " from what was seen and the rule's prior (without one: worth two participants at p0), as"
        " the event rate. Pending cross: once those pending are complete, at the acceptable"
        " rate (p0) and at the posterior mean. Certain: no event-free completion can undo it."
        " Suspected events are counted.",
        Sql(
            DSMB,
            f"""
            SELECT rule AS "Rule", signal AS "Says", predictive::float AS "Predictive",
            ever_cross_at_p0::float AS "Ever cross at p0",
            pending_cross_at_p0::float AS "Pending cross at p0",
            pending_cross_at_posterior::float AS "Pending cross at posterior mean",
            event_rate::float AS "Event rate", event_rate_low::float AS "Lower 95 %",
            event_rate_high::float AS "Upper 95 %", prior AS "Prior", reached AS "Reached",
            certain AS "Certain",
            reached_by_confirmed AS "Reached by confirmed alone",
            reached_at_upper_grades AS "Reached at upper grades", looks AS "Looks",
            data_cut AS "Data cut"
            FROM watch.dsmb_rule WHERE {_OF_STUDY} ORDER BY watch_only, rule
            """,
        ),
        {"Says": _SIGNAL, "Data cut": _WIDE} | dict.fromkeys(_PARTS, _PART),
    )


def _events() -> Panels:
    return table_of(
        "Events that count",
        "The events of each rule, suspected or confirmed, as the notices name them.",
        Sql(
            DSMB,
            f"""
            SELECT rule AS "Rule", participant AS "Participant", grade AS "Grade",
            standing AS "Standing", transplant_day AS "Transplant day",
            treatment_day AS "Treatment day", decision AS "Decision", data_cut AS "Data cut"
            FROM watch.dsmb_event WHERE {_OF_STUDY} AND rule IN (${{rule:sqlstring}})
            ORDER BY rule, transplant_day, participant
            """,
        ),
        {"Grade": _GRADE, "Data cut": _WIDE},
    )


def _sensitivity() -> Panels:
    return table_of(
        "The same facts, counted otherwise",
        "What each rule would say under other ways of counting those who are not complete;"
        " suspected events are counted.",
        Sql(
            DSMB,
            f"""
            SELECT rule AS "Rule", counting AS "Counting", events AS "Events",
            round(effective_size, 1)::float AS "Effective size", boundary AS "Boundary",
            reached AS "Reached", decision AS "Decision", data_cut AS "Data cut"
            FROM watch.dsmb_sensitivity WHERE {_OF_STUDY} AND rule IN (${{rule:sqlstring}})
            ORDER BY rule, counting
            """,
        ),
        {"Boundary": {"mappings": [colours.no_data("not yet")]}, "Data cut": _WIDE},
    )


def _history() -> Panels:
    return table_of(
        "Decisions so far",
        "Every decision of each rule, by its number: what was told then, suspected events counted.",
        Sql(
            DSMB,
            f"""
            SELECT rule AS "Rule", decision AS "Decision", signal AS "Says", events AS "Events",
            treated AS "Treated", round(effective_size, 1)::float AS "Effective size",
            predictive::float AS "Predictive", pending_cross_at_p0::float AS "Pending cross at p0"
            FROM watch.dsmb_history WHERE {_OF_STUDY} AND rule IN (${{rule:sqlstring}})
            ORDER BY rule, decision DESC
            """,
        ),
        {"Says": _SIGNAL, "Predictive": _PART, "Pending cross at p0": _PART},
    )


def _adverse_events() -> Panels:
    return table_of(
        "Adverse events from the first dose on: participants by term and worst grade",
        "By lower ends of grades; neither possible nor rejected ones. Confirmed: a clinician has"
        " confirmed every record of it; provisional: some evidence is not final.",
        Sql(
            DSMB,
            f"""
            SELECT term AS "Term", grade_1 AS "Grade 1", grade_2 AS "Grade 2", grade_3 AS "Grade 3",
            grade_4 AS "Grade 4", grade_5 AS "Grade 5", any_grade AS "Any grade",
            grade_3_or_more::float / treated AS "Grade 3 or more", treated AS "Out of treated",
            confirmed AS "Confirmed", provisional AS "Provisional", criteria AS "Criteria",
            data_cut AS "Data cut"
            FROM watch.dsmb_adverse_event WHERE {_OF_STUDY}
            ORDER BY grade_3_or_more DESC, any_grade DESC, term
            """,
        ),
        {
            "Grade 3 or more": _PART,
            "Term": {"custom.width": 320},
            "Data cut": _WIDE,
        },
        height=12,
    )
