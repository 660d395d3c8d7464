"""Writes the dashboards that Grafana reads: ``python -m deploy.grafana.generate``."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.course_dashboard import course
from deploy.grafana.dsmb_dashboard import dsmb
from deploy.grafana.operations_dashboard import operations
from deploy.grafana.safety_dashboard import safety

FOLDER: Final = Path(__file__).parent / "dashboards"

# By the folder in which Grafana shows them: one for each audience.
DASHBOARDS: Final[Mapping[str, Callable[[], Dashboard]]] = {
    "dsmb/stopping-rules": dsmb,
    "operations/pipeline": operations,
    "safety/course": course,
    "safety/worklist": safety,
}


def render_dashboards() -> dict[Path, str]:
    """Return the text of each file, by its path under `FOLDER`."""
    return {Path(f"{name}.json"): _text(make()) for name, make in DASHBOARDS.items()}


def _text(text: Dashboard) -> str:
    content = text.build()
    for number, panel in enumerate(content.panels or [], 1):
        panel.id_val = number  # links to a panel stay as they are
    return json.dumps(content, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every file."""
    for path, text in render_dashboards().items():
        file = FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    main()
