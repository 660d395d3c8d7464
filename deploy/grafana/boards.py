"""The frame of every dashboard: a fixed name, nothing to edit, and the variables of its queries."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableHide,
    VariableRefresh,
    VariableSort,
)


def board(
    uid: str, title: str, description: str, tags: list[str], refresh: str
) -> builders.Dashboard:
    """Return an empty dashboard that is read in UTC."""
    return (
        builders.Dashboard(title)
        .uid(uid)
        .description(description + " Trial safety oversight, not a bedside alarm.")
        .tags(["aegis", *tags])
        .readonly()
        .refresh(refresh)
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )


def with_cut(dashboard: builders.Dashboard, source: DataSourceRef) -> builders.Dashboard:
    """Return *dashboard* with the study that is shown, and how far its data go."""
    study = default_value(
        "study", "Study", "SELECT study FROM watch.dsmb_cut ORDER BY study", source
    )
    panel = default_value(
        "data_cut",
        "Data cut",
        "SELECT data_cut FROM watch.dsmb_cut WHERE study = ${study:sqlstring}",
        source,
    ).hide(VariableHide.HIDE_VARIABLE)
    return dashboard.with_variable(study).with_variable(panel)


def default_value(
    name: str, label: str, query: str, source: DataSourceRef
) -> builders.QueryVariable:
    """Return a variable whose values are those of *query*."""
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(source)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)  # also when the page refreshes by itself
        .sort(VariableSort.NATURAL_ASC)
    )
