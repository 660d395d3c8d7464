"""What every dashboard has: a fixed name, nothing to edit, and the variables that it asks with."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    VariableHide,
    VariableRefresh,
    VariableSort,
)


def board(uid: str, title: str, about: str, tags: list[str], refresh: str) -> builders.Dashboard:
    """Return an empty dashboard that is read in UTC."""
    return (
        builders.Dashboard(title)
        .uid(uid)
        .description(about + " Trial safety oversight, not a bedside alarm.")
        .tags(["aegis", *tags])
        .readonly()
        .refresh(refresh)
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )


def with_cut(made: builders.Dashboard, source: DataSourceRef) -> builders.Dashboard:
    """Return *made* with the study that is shown, and how far its data go."""
    study = chosen("study", "Study", "SELECT study FROM watch.dsmb_cut ORDER BY study", source)
    cut = chosen(
        "data_cut",
        "Data cut",
        "SELECT data_cut FROM watch.dsmb_cut WHERE study = ${study:sqlstring}",
        source,
    ).hide(VariableHide.HIDE_VARIABLE)
    return made.with_variable(study).with_variable(cut)


def chosen(name: str, label: str, query: str, source: DataSourceRef) -> builders.QueryVariable:
    """Return a variable whose values are those of *query*."""
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(source)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)  # also when the page refreshes by itself
        .sort(VariableSort.NATURAL_ASC)
    )
