"""A site's key, certificate or address speaks for that site, on every way in, and for no other."""

import asyncio
import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_network

import httpx
import pytest
from starlette.applications import Starlette

from services.cli.command import CommandError
from services.cli.main import main
from services.cli.process.port_guards import list_mllp_warnings, require_known_senders
from services.ingest.domain.hl7.frames import frame_message
from services.ingest.domain.site import Sites
from services.ingest.http import build_routes
from services.ingest.mllp import admit
from services.ingest.writer import Writer
from services.runtime.settings import IngestSettings
from services.store.refusals import load_refusals, reveal_words
from tests.helpers.hl7_messages import NORTH, RHEIN, labs, obx
from tests.helpers.installation import STUDY
from tests.helpers.intake import (
    KEY,
    Line,
    count_feed_messages,
    list_parked,
    new_intake,
    post_content,
    serve_mllp,
)

SENDER = {"north": "LAB|NORTH", "rhein": "ORBIS|RHEIN"}
FACT = '{"subject": "%s", "observed_at": "2026-03-01T08:00:00Z", "body": {"kind": "relapse"}}'


def write_message(site):
    return labs(obx("0.49"), control_id="M1", sender=SENDER[site])


def bind(intake, **networks):
    """The intake, whose sites connect from these addresses."""
    sites = tuple(
        replace(one, addresses=tuple(map(ip_network, networks.get(one.id, ()))))
        for one in (NORTH, RHEIN)
    )
    return replace(intake, sites=Sites.build(sites))


@pytest.fixture
def intake(tmp_path):
    return new_intake(tmp_path)


# MLLP


@contextmanager
def connect(port, address):
    """A line from *address*, which is one of this machine."""
    line = Line(port, source=address)
    yield line
    line.close()


def serve(intake, *, is_open=False, **settings):
    return serve_mllp(intake, admit=partial(admit, sites=intake.sites, is_open=is_open), **settings)


BY_ADDRESS = {"north": ["127.0.0.2"], "rhein": ["127.0.0.4/31"]}
ADDRESSES = [  # from where, as whom; the answer, "" when nothing is read
    ("127.0.0.2", "north", "AA"),
    ("127.0.0.2", "rhein", "AR"),
    ("127.0.0.5", "rhein", "AA"),
    ("127.0.0.5", "north", "AR"),
    ("127.0.0.6", "rhein", ""),
    ("127.0.0.1", "north", ""),
]


@pytest.mark.parametrize(("address", "site", "answer"), ADDRESSES)
def test_over_mllp_an_address_speaks_for_its_own_site(intake, address, site, answer):
    bound_intake = bind(intake, **BY_ADDRESS)
    with serve(bound_intake) as port, connect(port, address) as line:
        try:
            ack = line.say(frame_message(write_message(site))).answer()
        except ConnectionError:  # closed before it has written
            ack = ""
    assert (ack.split("MSA|")[1][:2] if ack else "") == answer
    assert count_feed_messages(intake) == (answer == "AA")


OPEN = [  # as whom; the answer to an address that no site names, where only north names some
    ("rhein", "AA"),
    ("north", "AR"),
]


@pytest.mark.parametrize(("site", "answer"), OPEN)
def test_on_an_open_port_a_stranger_speaks_for_sites_that_name_no_address(intake, site, answer):
    bound_intake = bind(intake, north=["127.0.0.2"])
    with serve(bound_intake, is_open=True) as port, connect(port, "127.0.0.1") as line:
        ack = line.say(frame_message(write_message(site))).answer()
    assert f"MSA|{answer}|M1" in ack
    assert ("north sends from its own addresses" in ack) == (answer == "AR")


def test_a_message_for_another_site_leaves_a_row_of_refused_messages(intake):
    bound_intake = bind(intake, **BY_ADDRESS)
    with serve(bound_intake) as port, connect(port, "127.0.0.2") as line:
        line.say(frame_message(write_message("rhein"))).answer()
    with intake.db.read() as conn:
        (row,) = reveal_words(intake.keys, load_refusals(conn))
    assert (row.site, row.sender, row.location) == ("north", "ORBIS|RHEIN", "MSH-4")


def test_connections_of_strangers_are_counted_and_logged_once_a_minute(intake, log_entries):
    counts = []
    bound_intake = bind(intake, **BY_ADDRESS)
    with serve(bound_intake, on_exclusion=lambda: counts.append(1)) as port:
        for address in ("127.0.0.1", "127.0.0.1", "127.0.0.9", "127.0.0.1"):
            with connect(port, address) as line:
                assert line.answer() == ""
    assert len(counts) == 4
    lines = [json.loads(line) for line in log_entries.getvalue().splitlines()]
    assert [(line["event"], line["host"]) for line in lines] == [
        ("connection_excluded", "127.0.0.1"),
        ("connection_excluded", "127.0.0.9"),
    ]
    assert "in sites.yaml" in lines[0]["problem"]


# the settings of a port


ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - what an image listens on
GUARDS = {  # host, who may send; what is said (a part of it), None: it starts
    "this machine alone": ("127.0.0.1", {}, None),
    "this machine alone, by name": ("localhost", {}, None),
    "all machines": (ALL_ADDRESSES, {}, "would take messages from anybody"),
    "all machines, version 6": ("::", {}, "would take messages from anybody"),
    "one address of this machine": ("192.0.2.1", {}, "would take messages from anybody"),
    "all machines, said": (ALL_ADDRESSES, {"open": "yes"}, None),
    "all machines, denied": (ALL_ADDRESSES, {"open": "no"}, "would take messages from anybody"),
    "an allow-list": (ALL_ADDRESSES, {"addresses": True}, None),
    "certificates": (ALL_ADDRESSES, {"ca": True, "certificates": True}, None),
    "certificates that no site has": (ALL_ADDRESSES, {"ca": True}, "no site has one"),
    "certificates that nobody asks for": (
        ALL_ADDRESSES,
        {"certificates": True},
        "would take messages from anybody",
    ),
}


@pytest.mark.parametrize(("host", "options", "problem"), GUARDS.values(), ids=GUARDS)
def test_a_port_for_other_machines_takes_messages_of_known_senders(
    intake, tmp_path, host, options, problem
):
    (tmp_path / "pem").touch()
    files = dict.fromkeys(("mllp_certificate", "mllp_client_ca"), tmp_path / "pem")
    settings = IngestSettings(
        mllp_host=host, mllp_open=options.get("open", "no"), **(files if options.get("ca") else {})
    )
    north = replace(
        NORTH,
        addresses=(ip_network("10.4.0.0/16"),) if options.get("addresses") else (),
        certificates=("CN=north",) if options.get("certificates") else (),
    )
    intake.sites = Sites.build((north, RHEIN))
    if problem is None:
        require_known_senders(settings, intake)
    else:
        with pytest.raises(CommandError, match=problem):
            require_known_senders(settings, intake)


OPEN_PORT = (
    "MLLP on 0.0.0.0 is open (AEGIS_MLLP_OPEN): anybody who reaches it may send for 1 of 2 sites"
)
PLAIN_PORT = (
    "MLLP on 0.0.0.0 is not encrypted: AEGIS_MLLP_CERTIFICATE and AEGIS_MLLP_KEY encrypt it"
)
WARNINGS = {
    "this machine alone": ({}, []),
    "open": (
        {"mllp_host": ALL_ADDRESSES, "mllp_open": True},
        [OPEN_PORT, PLAIN_PORT],
    ),
    "plain, with an allow-list": (
        {"mllp_host": ALL_ADDRESSES},
        ["MLLP on 0.0.0.0 is not encrypted: AEGIS_MLLP_CERTIFICATE and AEGIS_MLLP_KEY encrypt it"],
    ),
}


@pytest.mark.parametrize(("settings", "warnings"), WARNINGS.values(), ids=WARNINGS)
def test_what_was_left_open_is_said(intake, settings, warnings):
    bound_intake = bind(intake, north=["10.4.0.0/16"])
    assert list(list_mllp_warnings(IngestSettings(**settings), bound_intake)) == warnings


# HTTP


KEYS = [("north", "north", 200), ("north", "rhein", 422), ("rhein", "north", 422)]


@pytest.mark.parametrize(("key", "site", "status"), KEYS)
def test_over_http_a_key_speaks_for_its_own_site(intake, key, site, status):
    response = post_content(intake, "/v1/hl7v2", write_message(site), key)
    assert response.status_code == status
    assert (f"this key may send for {key} only" in response.text) == (status == 422)
    assert count_feed_messages(intake) == (status == 200)


@pytest.mark.parametrize(
    ("key", "subject", "facts"),
    [("north", "P-001", 1), ("north", "P-002", 0), ("rhein", "P-001", 0), ("rhein", "P-002", 1)],
)
def test_over_http_facts_of_a_key_are_about_participants_of_its_site(intake, key, subject, facts):
    response = post_content(intake, "/v1/facts", (FACT % subject).encode(), key)
    assert (response.status_code, response.json()["facts"]) == (200, facts)
    assert list_parked(intake) == ([] if facts else [("unknown-participant", "line 1")])


CLIENTS = [  # of a key of north; its addresses, whether the clients are seen
    ("10.4.0.7", ["10.4.0.0/16"], True, 200),
    ("10.5.0.7", ["10.4.0.0/16"], True, 403),
    ("10.5.0.7", ["10.4.0.0/16"], False, 200),
    ("10.5.0.7", [], True, 200),
]
CONTENTS = {"/v1/hl7v2": write_message("north"), "/v1/facts": (FACT % "P-001").encode()}


@pytest.mark.parametrize(("client", "addresses", "sees_clients", "status"), CLIENTS)
def test_over_http_a_key_is_used_from_the_addresses_of_its_site(
    intake, client, addresses, sees_clients, status
):
    bound_intake = bind(intake, north=addresses)
    writer = Writer(bound_intake)
    writer.start()
    app = Starlette(routes=build_routes(bound_intake, writer, sees_clients=sees_clients))

    async def post():
        transport = httpx.ASGITransport(app, client=(client, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://aegis") as session:
            headers = {"Authorization": f"Bearer {KEY['north']}", "X-Forwarded-For": "10.4.0.7"}
            return [
                await session.post(path, content=content, headers=headers)
                for path, content in CONTENTS.items()
            ]

    responses = asyncio.run(post())
    writer.stop()
    for response in responses:
        assert response.status_code == status
        assert ("of north may be used from its own addresses only" in response.text) == (
            status == 403
        )


# the demo


@pytest.mark.parametrize("line", ["addresses: [10.4.0.7]", "certificates: [CN=north]"])
def test_the_demo_says_for_which_sites_it_cannot_speak(tmp_path, capsys, line):
    study = tmp_path / "study"
    shutil.copytree(STUDY, study)
    text = (study / "sites.yaml").read_text()
    (study / "sites.yaml").write_text(text.replace("id: north\n", f"id: north\n    {line}\n"))
    data = tmp_path / "data"
    words = ["demo", "--participants", "1", "--study", str(study), "--data", str(data)]
    assert main(words) == 2
    assert "north may be spoken for from certain addresses" in capsys.readouterr().err
    assert not data.exists()
