"""The supply of the image: a bill of all that is locked, its licences, and an honest audit."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.local.places import free_port
from deploy.supply.bill_of_materials import write_bill
from deploy.supply.licences import list_faults, list_unknown
from deploy.supply.locked_packages import (
    LOCK,
    LockedPackage,
    SupplyError,
    declared_licence,
    load_packages,
    read_lock,
)

ROOT = Path(__file__).parents[2]
DIGEST_A, DIGEST_B = 64 * "0", 64 * "1"


@pytest.fixture(scope="module")
def packages():
    return load_packages()


def test_every_package_of_the_lock_is_known_with_its_hashes(packages):
    lines = [line for line in LOCK.read_text().splitlines() if "==" in line]
    assert [one.name for one in packages] == sorted(read_lock(LOCK.read_text()))
    assert len(packages) == len(lines) > 50
    assert sum(len(one.sha256) for one in packages) == LOCK.read_text().count("--hash=")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a==1 --hash=sha256:{DIGEST_A}", {"a": ("1", (DIGEST_A,))}),
        (
            f"A_b.c==1.0.post1 \\\n    --hash=sha256:{DIGEST_A} \\\n    --hash=sha256:{DIGEST_B}\n",
            {"a-b-c": ("1.0.post1", (DIGEST_A, DIGEST_B))},
        ),
        (
            f"a==1;python_version<'4' --hash=sha256:{DIGEST_A}\nb==2 --hash=sha256:{DIGEST_B}",
            {"a": ("1", (DIGEST_A,)), "b": ("2", (DIGEST_B,))},
        ),
        ("a==1\n", "a 1 has no hash"),
        (f"a==1 --hash=sha256:{DIGEST_A}\nb==2\n", "b 2 has no hash"),
        ("# nothing\n", "names no package"),
    ],
)
def test_a_lock_is_read_with_every_hash_or_refused(text, expected):
    if isinstance(expected, str):
        with pytest.raises(SupplyError, match=expected):
            read_lock(text)
    else:
        assert read_lock(text) == expected


@pytest.mark.parametrize(
    ("pin", "problem"),
    [("no-such-package==1", "is not installed here"), ("pydantic==0.1", "in the lock")],
)
def test_a_package_that_is_not_here_as_it_is_locked_is_said(tmp_path, pin, problem):
    (tmp_path / "lock").write_text(f"{pin} --hash=sha256:{DIGEST_A}")
    with pytest.raises(SupplyError, match=problem):
        load_packages(tmp_path / "lock")


def metadata(**fields):
    description = Message()
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            description[name.replace("_", "-")] = value
    return description


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (metadata(License_Expression="MIT", License="other"), "MIT"),
        (metadata(License="BSD-3-Clause"), "BSD-3-Clause"),
        (metadata(License="x" * 60), "x" * 60),
        (
            metadata(License="x" * 61, Classifier="License :: OSI Approved :: BSD License"),
            "BSD License",
        ),
        (metadata(License="Copyright\nall rights", Classifier=["Topic :: X"]), ""),
        (
            metadata(Classifier=["License :: OSI Approved :: MIT License", "License :: X"]),
            "MIT License AND X",
        ),
        (metadata(), ""),
    ],
)
def test_a_licence_is_read_as_the_package_declares_it(description, expected):
    assert declared_licence(description) == expected


@pytest.mark.parametrize(
    ("licence", "unknown"),
    [
        ("MIT", []),
        ("BSD-3-Clause AND 0BSD AND Zlib", []),
        ("(MIT OR Apache-2.0) AND BSD-2-Clause", []),
        ("MIT License AND Apache Software License", []),
        ("mit", ["mit"]),
        ("MIT OR AGPL-3.0-only", ["AGPL-3.0-only"]),
        ("Apache-2.0 WITH LLVM-exception", ["Apache-2.0 WITH LLVM-exception"]),
        ("", ["none declared"]),
    ],
)
def test_a_licence_that_nobody_has_accepted_is_unknown(licence, unknown):
    assert list_unknown(licence) == unknown
    package = LockedPackage("a", "1", (DIGEST_A,), licence, ())
    assert bool(list_faults([package])) == bool(unknown)


def test_every_licence_of_the_image_is_accepted(packages):
    assert list_faults(packages) == []


def test_the_bill_is_of_its_schema_complete_and_the_same_each_time(packages):
    text = write_bill(packages, "1.2")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert {one["name"]: one["version"] for one in bill["components"]} == {
        one.name: one.version for one in packages
    }
    assert bill["metadata"]["component"]["version"] == "1.2"
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert len(needs["aegis"]) == len(packages)
    (starlette,) = (ref for ref in needs if ref.startswith("pkg:pypi/starlette@"))
    assert any(ref.startswith("pkg:pypi/anyio@") for ref in needs[starlette])
    assert text == write_bill(packages, "1.2")
    other_packages = [replace(packages[0], version="0"), *packages[1:]]
    assert bill["serialNumber"] != json.loads(write_bill(other_packages, "1.2"))["serialNumber"]


def run_audit(lock, url, folder):
    environment = {
        **os.environ,
        "PIP_AUDIT_OSV_URL": url,
        "NO_PROXY": "127.0.0.1",
        "XDG_CACHE_HOME": str(folder),
        "HOME": str(folder),
    }
    return subprocess.run(
        [sys.executable, "-m", "deploy.supply", "audit", str(lock)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "lock"
    file.write_text(f"good==1.0 --hash=sha256:{DIGEST_A}\nbad==2.0 --hash=sha256:{DIGEST_B}\n")
    return file


@pytest.fixture
def source(request):
    """A source of vulnerabilities that answers as the test says, by the name of a package."""
    answers = request.param

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"][
                "name"
            ]
            status, body = answers[name]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


NO_FLAW = (200, "{}")
FLAW = json.dumps(
    {
        "vulns": [
            {
                "id": "TEST-1",
                "affected": [
                    {
                        "package": {"name": "bad", "ecosystem": "PyPI"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"fixed": "2.1"}]}],
                    }
                ],
            }
        ]
    }
)


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        ({"good": NO_FLAW, "bad": NO_FLAW}, 0, "audited: nothing is known"),
        ({"good": NO_FLAW, "bad": (200, FLAW)}, 1, "bad 2.0: TEST-1, mended in 2.1"),
        ({"good": NO_FLAW, "bad": (500, "")}, 2, "not audited: 2 of 2 packages"),
        ({"good": NO_FLAW, "bad": (200, "<html>")}, 2, "not audited: 2 of 2 packages"),
    ],
    indirect=["source"],
)
def test_an_audit_says_what_is_known_or_that_nothing_is(source, lock, tmp_path, code, text):
    answer = run_audit(lock, source, tmp_path)
    assert answer.returncode == code, answer.stdout + answer.stderr
    assert text in (answer.stderr if code == 2 else answer.stdout)


def test_a_source_that_cannot_be_reached_is_no_audit(lock, tmp_path):
    answer = run_audit(lock, f"http://127.0.0.1:{free_port()}", tmp_path)
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("audit: not audited: 2 of 2 packages")
    assert not answer.stdout
