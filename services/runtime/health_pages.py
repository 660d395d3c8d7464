"""Pages for machines: liveness and readiness of the process, and its metrics."""

import time
from collections.abc import Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.runtime.health import Progress
from services.runtime.metrics import Metrics
from services.runtime.standing_warnings import StandingWarnings


def make_health_routes(
    metrics: Metrics, parts: Mapping[str, Progress], warnings: StandingWarnings
) -> list[Route]:
    """Return ``/healthz``, ``/readyz`` and ``/metrics``.

    Args:
        metrics: Of the process.
        parts: Progress of each part of the process, by its name.
        warnings: Of the process; it is ready nevertheless.
    """

    async def show_health(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def show_readiness(_request: Request) -> Response:
        now_s = time.monotonic()
        readiness = {name: part.assess(now_s) for name, part in parts.items()}
        ready = all(one.ready for one in readiness.values())
        body = {
            "ready": ready,
            "seconds_since_commit_while_there_is_work": {
                name: round(one.stalled_s, 1) for name, one in readiness.items()
            },
            "warnings": warnings.list_problems(),
        }
        return JSONResponse(body, status_code=200 if ready else 503)

    async def export_metrics(_request: Request) -> Response:
        now_s = time.monotonic()
        stalled_s = max((part.assess(now_s).stalled_s for part in parts.values()), default=0.0)
        metrics.commit_age.set(stalled_s)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz", show_health),
        Route("/readyz", show_readiness),
        Route("/metrics", export_metrics),
    ]
