"""The committed dashboards and the queries of their panels, as Grafana would send them."""

import json
import re
from dataclasses import dataclass

from deploy.grafana.generate import FOLDER

BOARDS = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): json.loads(path.read_text())
    for path in sorted(FOLDER.glob("*/*.json"))
}
AUDIENCES = {"aegis-safety": "safety", "aegis-dsmb": "dsmb"}


@dataclass(frozen=True)
class DashboardQuery:
    """One query of a panel or a variable, with its dashboard and its source."""

    board: str
    panel: str
    source: str
    text: str

    def __str__(self):
        return f"{self.board}: {self.panel}"

    @property
    def audience(self):
        return AUDIENCES[self.source]

    def sql(self, values, start="2000-01-01T00:00:00Z", end="2100-01-01T00:00:00Z"):
        """Return the SQL that reaches the database: *values* by the name of the variable."""
        text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN '{start}' AND '{end}'", self.text)
        return re.sub(r"\$\{(\w+):sqlstring\}", lambda match: quote_values(values[match[1]]), text)


def quote_values(values):
    """Return *values* as the format ``sqlstring`` writes them."""
    several = [values] if isinstance(values, str) else values
    return ",".join("'" + one.replace("'", "''") + "'" for one in several)


def list_panels():
    """Every panel, with the name of its dashboard."""
    return [(name, panel) for name, board in BOARDS.items() for panel in board["panels"]]


def list_panel_queries():
    """Every query of a panel."""
    return [
        DashboardQuery(
            name,
            panel["title"],
            target["datasource"]["uid"],
            target.get("rawSql") or target["expr"],
        )
        for name, panel in list_panels()
        for target in panel["targets"]
    ]


def list_variable_queries():
    """Every query of a variable."""
    return [
        DashboardQuery(name, one["name"], one["datasource"]["uid"], one["query"])
        for name, board in BOARDS.items()
        for one in board["templating"].get("list", [])
    ]
