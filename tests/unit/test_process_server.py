"""The threads of a process end in groups, one after the other."""

import asyncio
import time

import pytest

from services.cli.process.process_server import ProcessServer
from services.runtime.limit_settings import LimitSettings
from services.runtime.settings import HttpSettings


@pytest.mark.parametrize("late", ["rules", "gauges"])
def test_a_later_group_is_told_to_end_once_the_earlier_ones_have(late):
    ended_works = []

    def make_work(name):
        def work(stop):
            stop.wait()
            if name == late:
                time.sleep(0.05)
            ended_works.append(name)

        return work

    async def serve():
        stop = asyncio.Event()
        server = ProcessServer(HttpSettings(http_port=0), LimitSettings())
        groups = [{name: make_work(name) for name in ("rules", "gauges")}]
        groups.append({"sealer": make_work("sealer")})
        await server.serve(stop, stop.set, parts={}, routes=[], work=groups, edges=[])

    asyncio.run(serve())
    assert sorted(ended_works[:2]) == ["gauges", "rules"]
    assert ended_works[2:] == ["sealer"]
