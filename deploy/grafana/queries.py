"""Queries of panels: SQL on one audience's views, or PromQL, each from a fixed data source."""

from dataclasses import dataclass, field

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusQuery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

_POSTGRESQL = "grafana-postgresql-datasource"

SAFETY = DataSourceRef(type_val=_POSTGRESQL, uid="aegis-safety")
DSMB = DataSourceRef(type_val=_POSTGRESQL, uid="aegis-dsmb")
METRICS = DataSourceRef(type_val="prometheus", uid="aegis-metrics")


@dataclass
class Sql(Dataquery, Builder["Sql"]):
    """A query whose answer is a table; the SDK has none for PostgreSQL.

    Builder and what it builds are one: there is nothing to set afterwards.
    """

    source: DataSourceRef
    sql: str
    ref_id: str = "A"
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        """Take the indentation of the code off the text."""
        self.lines = [line.strip() for line in self.sql.strip().splitlines()]

    def build(self) -> "Sql":
        """Return the query itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return the query as Grafana keeps it."""
        return {
            "datasource": self.source,
            "editorMode": "code",
            "format": "table",
            "rawQuery": True,
            "rawSql": "\n".join(self.lines),
            "refId": self.ref_id,
        }


def over_time(expression: str, legend: str, ref_id: str = "A") -> PrometheusQuery:
    """Return the query of a line for each series of *expression*."""
    return _prometheus(expression, ref_id).range().legend_format(legend)


def _prometheus(expression: str, ref_id: str) -> PrometheusQuery:
    return PrometheusQuery().datasource(METRICS).expr(expression).ref_id(ref_id)
