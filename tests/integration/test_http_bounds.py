"""A request over HTTP arrives in time or is hung up on, and one address has so many connections."""

import asyncio
import select
import socket
import threading
import time
from contextlib import closing, contextmanager
from http.client import BadStatusLine, HTTPResponse

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.cli.process.web_port import WebPort
from services.runtime.limit_settings import LimitSettings

HEAD = b"POST /size HTTP/1.1\r\nHost: aegis\r\nContent-Length: 4\r\n\r\n"
REQUEST = HEAD + b"ABCD"
SOON_S = 0.6  # deadlines here
LIMITS = LimitSettings(
    connections=3, connections_per_address=2, header_deadline_s=SOON_S, body_deadline_s=SOON_S
)

pytestmark = pytest.mark.usefixtures("log_entries")


async def tell_size(request: Request):
    return PlainTextResponse(f"{len(await request.body())} bytes")


@contextmanager
def serve(limits=LIMITS):
    """A port in a thread of its own, and the seconds that its end took."""
    port = WebPort("127.0.0.1", 0, "AEGIS_HTTP", limits)
    loop, is_ready, end_s = asyncio.new_event_loop(), threading.Event(), []

    async def work():
        nonlocal stop
        stop = asyncio.Event()
        port.start([Route("/size", tell_size, methods=["POST"])])
        is_ready.set()
        await stop.wait()
        began_s = time.monotonic()
        await port.stop()
        end_s.append(time.monotonic() - began_s)

    stop = None
    thread = threading.Thread(target=loop.run_until_complete, args=(work(),))
    thread.start()
    assert is_ready.wait(10)
    try:
        yield port.port, end_s
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()


def connect(port, source="127.0.0.1"):
    """A connection to *port* from the address *source*."""
    connection = socket.socket()
    connection.bind((source, 0))
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    return connection


def read_status(connection):
    """The status of the answer; 0 when the other side has hung up without one."""
    response = HTTPResponse(connection)
    try:
        response.begin()
        response.read()
    except (ConnectionError, BadStatusLine):
        return 0
    return response.status


# bytes with the pauses before them in seconds; the status, 408 when it took too long
REQUESTS = {
    "at once": ([(0, REQUEST)], 200),
    "in two parts, within each time": ([(0, HEAD[:9]), (0.35, HEAD[9:]), (0.35, b"ABCD")], 200),
    "no byte": ([(0, b"")], 408),
    "a header that never ends": ([(0, HEAD[:9])], 408),
    "a header byte by byte": ([(0.1, bytes((byte,))) for byte in HEAD], 408),
    "a body that never ends": ([(0, HEAD), (0.1, b"AB")], 408),
    "a body byte by byte": (
        [(0, HEAD.replace(b"Length: 4", b"Length: 40")), *[(0.1, b"A")] * 39], 408,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "status"), REQUESTS.values(), ids=REQUESTS)
def test_a_header_and_a_body_have_to_be_whole_in_time(parts, status, log_entries):
    with serve() as (port, _), closing(connect(port)) as connection:
        began_s = time.monotonic()
        answered_status = send_parts(connection, parts)
        assert answered_status == status
        assert (time.monotonic() - began_s >= SOON_S - 0.05) is (status == 408 or len(parts) > 1)
        with closing(connect(port)) as other_connection:
            other_connection.sendall(REQUEST)
            assert read_status(other_connection) == 200
    assert ("request_not_finished" in log_entries.getvalue()) is (status == 408)


def send_parts(connection, parts):
    """Send *parts* after their pauses until there is an answer, and return its status."""
    for pause_s, part in parts:
        time.sleep(pause_s)
        if select.select([connection], [], [], 0)[0]:
            break
        connection.sendall(part)
    return read_status(connection)


def test_a_further_request_of_the_connection_has_its_own_time():
    with serve() as (port, _), closing(connect(port)) as connection:
        for _ in range(3):
            connection.sendall(REQUEST)
            assert read_status(connection) == 200
            time.sleep(SOON_S * 0.7)
        connection.sendall(HEAD[:9])
        assert read_status(connection) == 408


def test_connections_of_one_address_and_in_all_are_bounded(log_entries):
    with serve() as (port, _):
        connections = [connect(port), connect(port)]
        refused_connection = connect(port)
        assert read_status(refused_connection) == 503
        other_connection, last_connection = connect(port, "127.0.0.2"), connect(port, "127.0.0.3")
        assert read_status(last_connection) == 503
        other_connection.sendall(REQUEST)
        assert read_status(other_connection) == 200
        connections[0].close()
        ends_s = time.monotonic() + 5
        status = 0
        while status != 200 and time.monotonic() < ends_s:
            with closing(connect(port)) as next_one:
                next_one.sendall(REQUEST)
                status = read_status(next_one)
        assert status == 200
        for connection in (connections[1], refused_connection, other_connection, last_connection):
            connection.close()
    assert "(AEGIS_CONNECTIONS_PER_ADDRESS)" in log_entries.getvalue()
    assert "(AEGIS_CONNECTIONS)" in log_entries.getvalue()


def test_the_port_ends_within_seconds_while_a_body_is_awaited():
    slow = LIMITS.model_copy(update={"body_deadline_s": 300.0})
    with serve(slow) as (port, end_s):
        connection = connect(port)
        connection.sendall(HEAD)
        time.sleep(0.2)
    connection.close()
    assert end_s[0] < 15
