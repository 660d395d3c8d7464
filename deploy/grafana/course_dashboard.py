"""The bedside course of one participant: signs, oxygen, drugs, and the grades of record."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import ValueMapping

from deploy.grafana import colours
from deploy.grafana.boards import board, default_value, with_cut
from deploy.grafana.panels import Panels, course_bands, course_lines, table_of
from deploy.grafana.queries import SAFETY, Sql

_FILTER = "participant = ${participant:sqlstring}"
# A pen for what is, not for how it is: any word has the same colour, "no data" another.
_WORDS: Sequence[ValueMapping] = (
    *colours.words({"room-air": colours.PLAIN}),
    colours.no_data(),
)


def course() -> builders.Dashboard:
    """Return the dashboard."""
    dashboard = board(
        "aegis-course",
        "Safety officer: course of one participant",
        "What was read and given around CRS and ICANS, beside the grades and their reasons. Choose"
        " a pseudonym and a time, or follow a record of the worklist.",
        ["safety"],
        "1m",
    ).time("now-30d", "now")
    people = (
        "SELECT participant FROM watch.person WHERE study = ${study:sqlstring} ORDER BY participant"
    )
    return (
        with_cut(dashboard, SAFETY)
        .with_variable(default_value("participant", "Participant", people, SAFETY))
        .with_panel(_person())
        .with_panel(_ribbon())
        .with_panel(_signs("Temperature", "temperature", "Cel", "celsius", (36, 40)))
        .with_panel(_pressure())
        .with_panel(_signs("SpO2", "spo2", "%", "percent", (85, 100)))
        .with_panel(_device())
        .with_panel(_signs("Oxygen flow", "oxygen-flow", "L/min", "L/min", (0, 15)))
        .with_panel(_drugs())
        .with_panel(_signs("ICE score", "ice", "{score}", "none", (0, 10)))
        .with_panel(_grades())
    )


def _person() -> Panels:
    return table_of(
        "Participant",
        "Days are counted from these instants.",
        Sql(
            SAFETY,
            f"""
            SELECT participant AS "Participant", site AS "Site", graft_at AS "Graft (UTC)",
            first_infusion_at AS "First dose (UTC)", last_observed_at AS "Last data (UTC)",
            CASE WHEN up_to_date THEN 'up to date' ELSE 'not up to date' END AS "Records",
            criteria AS "Criteria", protocol_version AS "Protocol version"
            FROM watch.person WHERE study = ${{study:sqlstring}} AND {_FILTER}
            """,
        ),
        height=3,
    )


def _ribbon() -> Panels:
    return course_bands(
        "CRS and ICANS: grade of record (ASTCT 2019)",
        "Suspected unless the table below says confirmed; an interval is drawn by its lower end.",
        Sql(
            SAFETY,
            f"""
            SELECT at AS "time", term AS "lane", grade AS "Value"
            FROM watch.grade_mark WHERE {_FILTER} AND criteria = 'astct-2019' AND $__timeFilter(at)
            ORDER BY at
            """,
        ),
        "lane",
        mappings=colours.grades()[:-1],
        height=4,
    )


def _signs(
    title: str, measure: str, unit: str, shown_in: str, limits: tuple[float, float]
) -> Panels:
    return course_lines(
        title,
        f"As read, in {unit}, where corrections leave it; readings in other units are not drawn."
        " What is provisional is a line of its own.",
        Sql(
            SAFETY,
            f"""
            SELECT at AS "time",
            CASE WHEN NOT provisional THEN value END::float AS "{title}",
            CASE WHEN provisional THEN value END::float AS "{title} (provisional)"
            FROM watch.sign WHERE {_FILTER} AND measure = '{measure}' AND unit = '{unit}'
            AND $__timeFilter(at) ORDER BY at
            """,
        ),
        shown_in,
        limits,
    )


def _pressure() -> Panels:
    return course_lines(
        "Systolic and mean arterial pressure",
        "As read, in mm[Hg], where corrections leave it; final and provisional alike.",
        Sql(
            SAFETY,
            f"""
            SELECT at AS "time", CASE WHEN measure = 'sbp' THEN value END::float AS "Systolic",
            CASE WHEN measure = 'map' THEN value END::float AS "Mean"
            FROM watch.sign WHERE {_FILTER} AND measure IN ('sbp', 'map') AND unit = 'mm[Hg]'
            AND $__timeFilter(at) ORDER BY at
            """,
        ),
        "pressuremmhg",
        (60, 140),
    )


def _device() -> Panels:
    return course_bands(
        "Oxygen device and arousal",
        "As assessed, until the next assessment.",
        Sql(
            SAFETY,
            f"""
            SELECT at AS "time", measure AS "lane", says AS "Value"
            FROM watch.sign WHERE {_FILTER} AND measure IN ('oxygen-device', 'arousal')
            AND $__timeFilter(at) ORDER BY at
            """,
        ),
        "lane",
        mappings=_WORDS,
    )


def _drugs() -> Panels:
    return course_bands(
        "Drugs",
        "Infusions from start to stop, with their rate; a single dose is drawn for an hour."
        " Tocilizumab, dexamethasone and vasopressors are here, each under its name.",
        Sql(
            SAFETY,
            f"""
            SELECT at AS "time", drug AS "lane", says AS "Value"
            FROM watch.drug_mark WHERE {_FILTER} AND $__timeFilter(at) ORDER BY at
            """,
        ),
        "lane",
        mappings=(),
        height=8,
    )


def _grades() -> Panels:
    return table_of(
        "Grades and their reasons",
        "Every stretch of one grade of every record of this participant.",
        Sql(
            SAFETY,
            f"""
            SELECT since AS "Since (UTC)", until AS "Until (UTC)", term AS "Term", grade AS "Grade",
            because AS "Because", standing AS "Standing", first_day AS "Transplant day",
            criteria AS "Criteria"
            FROM watch.grade_stretch WHERE study = ${{study:sqlstring}} AND {_FILTER}
            ORDER BY since, term
            """,
        ),
        {
            "Grade": {
                "custom.cellOptions": {"type": "color-background"},
                "mappings": colours.grades(),
                "custom.width": 80,
            },
            "Because": {"custom.width": 480},
        },
        height=10,
    )
