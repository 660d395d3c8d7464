"""``aegis run``: the service on this machine."""

import asyncio
import contextlib
import signal
import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from services.cli.command import Command
from services.cli.opened import data_arguments, open_data
from services.cli.service import Ports, Service
from services.runtime import log
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings, read_settings


def _arguments(parser: ArgumentParser) -> None:
    data_arguments(parser)
    parser.add_argument("--mllp-port", type=int, metavar="N", help="AEGIS_MLLP_PORT; 0: a free one")
    parser.add_argument("--http-port", type=int, metavar="N", help="AEGIS_HTTP_PORT; 0: a free one")


def _run(args: Namespace) -> int:
    log.configure(as_json=not sys.stderr.isatty())
    service = Service(
        open_data(args),
        read_settings(IngestSettings, **_told(args, "mllp_port")),
        read_settings(HttpSettings, **_told(args, "http_port")),
        read_settings(AlertSettings),
    )
    asyncio.run(_serve(service))
    return 0


def _told(args: Namespace, name: str) -> dict[str, Any]:
    value = getattr(args, name)
    return {} if value is None else {name: value}


async def _serve(service: Service) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await service.serve(stop, _say)


def _say(ports: Ports) -> None:
    print(f"listening: MLLP on port {ports.mllp}, HTTP on port {ports.http}", flush=True)


RUN = Command("run", "the service: ingest, rules and alerts in one process", _arguments, _run)
