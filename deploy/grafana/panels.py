"""The kinds of panel that the dashboards are made of."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import statetimeline, table, timeseries, trend
from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMapping,
)

from deploy.grafana import colours
from deploy.grafana.queries import METRICS, Sql

Panels = Builder[Panel]  # what a dashboard takes
Look = dict[str, object]  # properties of a column or a line: Grafana's id and its value
FILLED_CELL: Look = {"custom.cellOptions": {"type": "color-background"}}
DATA_CUT = (
    "\n\nData cut: ${data_cut}. A record is suspected until a clinician confirms it, provisional"
    " while its evidence is not final."
)
_FULL_WIDTH = 24


def table_of(
    title: str,
    description: str,
    query: Sql,
    looks: Mapping[str, Look] | None = None,
    height: int = 8,
) -> table.Panel:
    """Return a table, its columns as in the query; *looks* by the name of the column."""
    panel = (
        table.Panel()
        .title(title)
        .description(description + DATA_CUT)
        .datasource(query.source)
        .with_target(query)
        .thresholds(_one_colour(colours.CLEAR))
        .no_value("no data")
        .filterable(True)  # noqa: FBT003 - the builder's signature
        .height(height)
        .span(_FULL_WIDTH)
    )
    for column, look in (looks or {}).items():
        panel = panel.override_by_name(column, properties(look))
    return panel


def matrix(
    title: str, description: str, query: Sql, *, row: str, column: str, height: int
) -> table.Panel:
    """Return a field of grades: one row for each *row*, one column for each *column*.

    The query has three columns, the third is the grade; its first row has every column in order.
    """
    panel = table_of(title, description, query, height=height)
    to_matrix = {
        "rowField": row,
        "columnField": column,
        "valueField": "Grade",
        "emptyValue": "null",
    }
    return (
        panel.with_transformation(DataTransformerConfig("groupingToMatrix", options=to_matrix))
        .mappings(colours.grades())
        .cell_options(_FILLED_CELL)
        .align(common.FieldTextAlignment.CENTER)
        .filterable(False)  # noqa: FBT003 - the builder's signature
        .override_by_name(
            f"{row}\\{column}", properties({"custom.width": 300, "custom.align": "left"})
        )
    )


_FILLED_CELL = common.TableColoredBackgroundCellOptions(
    mode=common.TableCellBackgroundDisplayMode.BASIC
)


def course_lines(
    title: str, description: str, query: Sql, unit: str, limits: tuple[float, float]
) -> timeseries.Panel:
    """Return the readings of one participant over time, with a point at each."""
    low, high = limits
    return (
        timeseries.Panel()
        .title(title)
        .description(description + DATA_CUT)
        .datasource(query.source)
        .with_target(query)
        .unit(unit)
        .axis_soft_min(low)
        .axis_soft_max(high)
        .line_width(1)
        .point_size(4)
        .show_points(common.VisibilityMode.ALWAYS)
        .span_nulls(6 * 3600 * 1000)  # further apart, readings are not joined
        .thresholds(_one_colour(colours.PLAIN))
        .no_value("no data")
        .legend(_legend())
        .height(6)
        .span(_FULL_WIDTH)
    )


def course_bands(
    title: str,
    description: str,
    query: Sql,
    lane: str,
    *,
    mappings: Sequence[ValueMapping],
    height: int = 5,
) -> statetimeline.Panel:
    """Return the states of one participant over time, as bands that the column *lane* names."""
    lanes = {"fields": [lane], "keepFields": False, "naming": {"asLabels": True}}
    return (
        statetimeline.Panel()
        .title(title)
        .description(description + DATA_CUT)
        .datasource(query.source)
        .with_target(query)
        .with_transformation(DataTransformerConfig("partitionByValues", options=lanes))
        .display_name(f"${{__field.labels.{lane}}}")
        .mappings(list(mappings))
        .thresholds(_one_colour(colours.PLAIN))
        .line_width(1)
        .merge_values(True)  # noqa: FBT003 - the builder's signature
        .show_value(common.VisibilityMode.AUTO)
        .no_value("no data")
        .legend(_legend(is_visible=False))
        .height(height)
        .span(_FULL_WIDTH)
    )


def against_size(
    title: str, description: str, query: Sql, lines: Mapping[str, Look]
) -> trend.Panel:
    """Return lines over the query's column *Effective size*; *lines* by the name of the column."""
    panel = (
        trend.Panel()
        .title(title)
        .description(description + DATA_CUT)
        .datasource(query.source)
        .with_target(query)
        .x_field("Effective size")
        .axis_label("Participants with the event")
        .min(0)
        .decimals(0)
        .span_nulls(True)  # noqa: FBT003 - the builder's signature
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.NEVER)
        .no_value("no data")
        .legend(_legend())
        .height(11)
        .span(_FULL_WIDTH)
    )
    for line, look in lines.items():
        panel = panel.override_by_name(line, properties(look))
    return panel


def metric_lines(
    title: str, description: str, queries: Sequence[PrometheusQuery], unit: str = "short"
) -> timeseries.Panel:
    """Return a line for each series of *queries*."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.AUTO)
        .no_value("no data")
        .legend(_legend())
        .height(8)
        .span(12)
    )
    for query in queries:
        panel = panel.with_target(query)
    return panel


def properties(look: Look) -> list[DynamicConfigValue]:
    """Return *look* as the SDK wants it."""
    return [DynamicConfigValue(name, value) for name, value in look.items()]


def colour_override(colour: str, **properties: object) -> Look:
    """Return the look of a line of one *colour*; *properties* are options of its drawing."""
    fixed = {"mode": "fixed", "fixedColor": colour}
    return {"color": fixed} | {f"custom.{name}": value for name, value in properties.items()}


def _one_colour(colour: str) -> dashboard_builders.ThresholdsConfig:
    """Return no thresholds: what no mapping colours has this *colour*."""
    config = dashboard_builders.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE)
    return config.steps([Threshold(None, colour)])


def _legend(*, is_visible: bool = True) -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .show_legend(is_visible)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
    )
