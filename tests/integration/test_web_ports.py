"""Pages and messages on one port, metrics and health on another; both say what is left open."""

import io
import shutil
import ssl
from contextlib import closing, contextmanager, redirect_stdout

import httpx
import pytest

from services.cli.command import CommandError
from services.cli.main import main
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.cli.shared.open_study import open_in
from services.runtime.settings import (
    AlertSettings,
    HttpSettings,
    IngestSettings,
    read_settings,
)
from services.runtime.settings_error import SettingsError
from services.runtime.store_settings import read_store_settings
from tests.helpers.certificates import Authority, make_self_signed
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.installation import STUDY

pytestmark = pytest.mark.slow

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - what an image listens on
OF_MACHINES = ("/healthz", "/readyz", "/metrics")


@contextmanager
def serve(folder, *, study=STUDY, mllp=None, **http):
    """The whole service on free ports."""
    context = open_in(read_store_settings(data=folder, study=study))
    settings = ProcessSettings(
        IngestSettings(mllp_port=0, **(mllp or {})),
        HttpSettings(http_port=0, **http),
        AlertSettings(smtp_port=1),
    )
    with closing(context.db):
        service = Background(Service(context, settings))
        try:
            yield service.start()
        finally:
            service.stop()


def read_statuses(port, paths):
    return [httpx.get(f"http://127.0.0.1:{port}{path}").status_code for path in paths]


def test_metrics_and_health_have_a_port_of_their_own_where_it_is_named(tmp_path):
    with serve(tmp_path, metrics_port=0) as ports:
        assert ports.metrics not in (0, ports.http, ports.mllp)
        assert read_statuses(ports.http, OF_MACHINES) == [404, 404, 404]
        assert read_statuses(ports.metrics, OF_MACHINES) == [200, 200, 200]
        assert read_statuses(ports.http, ["/v1/facts/schema"]) == [200]
        assert read_statuses(ports.metrics, ["/v1/facts/schema"]) == [404]


def test_without_one_they_are_on_the_port_of_pages(tmp_path):
    with serve(tmp_path) as ports:
        assert ports.metrics == 0
        assert read_statuses(ports.http, OF_MACHINES) == [200, 200, 200]
        assert not list_http_warnings(httpx.get(f"http://127.0.0.1:{ports.http}/readyz"))


def test_http_is_encrypted_by_its_certificate(tmp_path):
    certificate, key = make_self_signed(tmp_path, "localhost")
    trust = ssl.create_default_context(cafile=certificate)
    with serve(
        tmp_path / "data", http_certificate=certificate, http_key=key, metrics_port=0
    ) as ports:
        schema = httpx.get(f"https://localhost:{ports.http}/v1/facts/schema", verify=trust)
        assert schema.status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{ports.http}/v1/facts/schema")
        assert read_statuses(ports.metrics, ["/healthz"]) == [200]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def port_of_sites(tmp_path_factory, authority):
    """The port and certificate of a service whose sites north and rhein name certificates."""
    folder = tmp_path_factory.mktemp("sites")
    study = folder / "study"
    shutil.copytree(STUDY, study)
    text = (study / "sites.yaml").read_text()
    for site in ("north", "rhein"):
        text = text.replace(f"id: {site}\n", f"id: {site}\n    certificates: [CN={site}]\n")
    (study / "sites.yaml").write_text(text)
    certificate, key = make_self_signed(folder, "localhost")
    with serve(
        folder / "data",
        study=study,
        http_certificate=certificate,
        http_key=key,
        http_client_ca=authority.path,
    ) as ports:
        words = ["sites", "key", "rhein", "--study", str(study), "--data", str(folder / "data")]
        output = io.StringIO()
        with redirect_stdout(output):
            assert main(words) == 0
        yield ports.http, certificate, output.getvalue().strip()


SENDERS = {  # certificate, key, sender; status, what is said
    "its certificate": ("north", "", "EPIC|NORTH", 200, "MSA|AA"),
    "the certificate of another": ("north", "", "ORBIS|RHEIN", 422, "may send for north only"),
    "no certificate": ("", "", "EPIC|NORTH", 401, "no valid API key"),
    "a certificate that no site names": ("unnamed", "", "EPIC|NORTH", 401, "no valid API key"),
    "a certificate without a subject": ("empty", "", "EPIC|NORTH", 401, "no valid API key"),
    "a key alone": ("", "rhein", "ORBIS|RHEIN", 200, "MSA|AA"),
    "a key and its certificate": ("rhein", "rhein", "ORBIS|RHEIN", 200, "MSA|AA"),
    "a key and no site's certificate": ("unnamed", "rhein", "ORBIS|RHEIN", 200, "MSA|AA"),
    "the key of another": ("north", "rhein", "EPIC|NORTH", 403, "may send for north only"),
    "the certificate of another beside a key": (
        *("north", "rhein", "ORBIS|RHEIN", 403),
        "this certificate may send for north only",
    ),
    "a wrong key": ("north", "wrong", "EPIC|NORTH", 401, "no valid API key"),
}


@pytest.mark.parametrize("case", SENDERS.values(), ids=SENDERS)
def test_over_http_a_certificate_speaks_for_its_own_site(port_of_sites, authority, case):
    certificate, key, sender, status, text = case
    port, server_certificate, key_of_rhein = port_of_sites
    trust = ssl.create_default_context(cafile=server_certificate)
    if certificate:
        trust.load_cert_chain(*authority.issue(certificate, has_subject=certificate != "empty"))
    secret = key_of_rhein if key == "rhein" else key
    response = httpx.post(
        f"https://localhost:{port}/v1/hl7v2",
        content=labs(obx("0.49"), control_id=f"{certificate}{key}", sender=sender),
        headers={"Authorization": f"Bearer {secret}"} if secret else {},
        verify=trust,
    )
    assert (response.status_code, text in response.text) == (status, True)


def test_a_certificate_of_another_authority_is_refused(port_of_sites, tmp_path):
    port, server_certificate, _ = port_of_sites
    trust = ssl.create_default_context(cafile=server_certificate)
    trust.load_cert_chain(*Authority(tmp_path, "stranger").issue("north"))
    with pytest.raises(httpx.TransportError):
        httpx.get(f"https://localhost:{port}/v1/facts/schema", verify=trust)


def test_a_file_that_is_no_certificate_is_said_with_the_settings(tmp_path):
    (tmp_path / "http.pem").write_text("nothing")
    with (
        pytest.raises(
            CommandError, match="AEGIS_HTTP_CERTIFICATE, AEGIS_HTTP_KEY or AEGIS_HTTP_CLIENT_CA: "
        ),
        serve(tmp_path / "data", http_certificate=tmp_path / "http.pem"),
    ):
        pass


def list_http_warnings(readiness):
    return [one for one in readiness.json()["warnings"] if one.startswith("HTTP")]


OPEN_HTTP = (
    "HTTP on 0.0.0.0 is not encrypted: AEGIS_HTTP_CERTIFICATE and AEGIS_HTTP_KEY encrypt it;"
    " AEGIS_HTTP_BEHIND_PROXY=yes says that a proxy does"
)


@pytest.mark.parametrize(("is_behind_proxy", "warnings"), [(True, []), (False, [OPEN_HTTP])])
def test_what_is_left_open_is_said_where_health_is_asked_for(tmp_path, is_behind_proxy, warnings):
    with serve(
        tmp_path, http_host=ALL_ADDRESSES, http_behind_proxy=is_behind_proxy, metrics_port=0
    ) as ports:
        readiness = httpx.get(f"http://127.0.0.1:{ports.metrics}/readyz")
    assert (readiness.status_code, list_http_warnings(readiness)) == (200, warnings)


def test_a_service_whose_port_anybody_could_use_does_not_start(tmp_path):
    with (
        pytest.raises(CommandError, match=r"MLLP on 0\.0\.0\.0 would take messages from anybody"),
        serve(tmp_path, mllp={"mllp_host": ALL_ADDRESSES}),
    ):
        pass


@pytest.mark.parametrize("name", ["mllp_key", "mllp_client_ca", "http_key", "http_client_ca"])
def test_a_key_without_a_certificate_is_refused(tmp_path, name):
    kind = HttpSettings if name.startswith("http") else IngestSettings
    (tmp_path / "pem").touch()
    with pytest.raises(SettingsError, match=r"_CERTIFICATE: name that too"):
        read_settings(kind, **{name: tmp_path / "pem"})
