"""The service in a thread of its own: for the demo, which watches it from outside."""

import asyncio
import threading

from services.cli.command import CommandError
from services.cli.process.service import Ports, Service


class Background:
    """Runs a service until it is told to stop."""

    def __init__(self, service: Service) -> None:
        """Prepare to run *service*."""
        self._service = service
        self._ready = threading.Event()
        self._ports: Ports | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="service")

    def start(self) -> Ports:
        """Run it; return where it listens.

        Raises:
            CommandError: It cannot listen, or a file of the study cannot be trusted.
        """
        self._thread.start()
        self._ready.wait()
        if self._ports is None:
            raise self._error or CommandError("the service did not start")
        return self._ports

    def stop(self) -> None:
        """Let it finish what it has begun, and wait for that."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await self._service.serve(self._stop, self._set_ports)

    def _set_ports(self, ports: Ports) -> None:
        self._ports = ports
        self._ready.set()
