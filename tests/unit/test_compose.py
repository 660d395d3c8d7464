"""``deploy/compose.yaml`` names what is really there: commands, settings, paths, ports, secrets."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.local.workers import ROLES
from services.cli.main import build_parser, load_command
from services.runtime import settings

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
SERVICES = COMPOSE["services"]
AEGIS_SERVICES = {
    name: service for name, service in SERVICES.items() if service["image"] == "aegis"
}
PROMETHEUS = yaml.safe_load((DEPLOY / "prometheus" / "compose.yml").read_text())


@pytest.mark.parametrize("name", AEGIS_SERVICES)
def test_each_command_is_one_of_aegis(name):
    words = AEGIS_SERVICES[name]["command"]
    assert load_command(build_parser(words[0]).parse_args(words).command)


def test_there_is_a_service_for_each_role_that_make_up_starts():
    commands = {tuple(service["command"]) for service in AEGIS_SERVICES.values()}
    assert {role.words for role in ROLES} < commands


@pytest.mark.parametrize("name", AEGIS_SERVICES)
def test_each_setting_is_known(name):
    settings_names = {
        key for key in AEGIS_SERVICES[name]["environment"] if key.startswith("AEGIS_")
    }
    settings_names |= set(re.findall(r"\bAEGIS_\w+(?==)", DOCKERFILE))
    assert settings_names <= settings.list_known_variables()


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there_or_kept_in_a_volume(name):
    for mount in SERVICES[name].get("volumes", ()):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_can_come_true(name):
    waits = SERVICES[name].get("depends_on", {})
    for awaited_service in waits:
        condition = (
            waits[awaited_service]["condition"] if isinstance(waits, dict) else "service_started"
        )
        if condition == "service_healthy":
            assert "test" in SERVICES[awaited_service]["healthcheck"]
        if condition == "service_completed_successfully":
            assert SERVICES[awaited_service]["restart"] == "on-failure"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


def test_no_secret_stands_in_the_file_or_in_an_environment():
    for service in SERVICES.values():
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        for key, value in service.get("environment", {}).items():
            if "PASSWORD" in key:
                assert value.removeprefix("/run/secrets/") in service["secrets"]
            assert not re.search(r"//[^/@]+:[^/@]+@", str(value)), "a password in a URL"


@pytest.mark.parametrize("name", ["grafana", "grafana-dsmb"])
def test_what_a_grafana_reads_from_its_environment_and_its_secrets_is_there(name):
    service = SERVICES[name]
    (folder,) = [m.split(":")[0] for m in service["volumes"] if "/grafana/provisioning" in m]
    text = "".join(one.read_text() for one in (DEPLOY / folder).rglob("*.yaml"))
    assert set(re.findall(r"\$(AEGIS_\w+)", text)) == {
        key for key in service["environment"] if key.startswith("AEGIS_")
    }
    assert set(re.findall(r"/run/secrets/(\w+)", text)) <= set(service["secrets"])


def test_every_image_has_a_version():
    for name, service in SERVICES.items():
        assert name in AEGIS_SERVICES or re.search(r":v?\d", service["image"]), name


@pytest.mark.parametrize("sources", re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE))
def test_the_image_is_built_from_what_is_there_and_not_ignored(sources):
    ignored_paths = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for source in sources.split():
        assert (DEPLOY.parent / source).exists()
        assert f"!{source}" in ignored_paths


def test_prometheus_watches_every_role_on_its_port():
    (job,) = PROMETHEUS["scrape_configs"]
    (service_discovery,) = job["dns_sd_configs"]
    assert sorted(service_discovery["names"]) == sorted(role.name for role in ROLES)
    port = service_discovery["port"]
    assert f"AEGIS_METRICS_PORT={port}" in DOCKERFILE
    assert str(port) in re.search(r"^EXPOSE (.+)$", DOCKERFILE, re.MULTILINE)[1].split()
    assert f"http://127.0.0.1:{port}/readyz" in DOCKERFILE


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql+psycopg://aegis@db:5432/a", "postgresql+psycopg://aegis:p%40ss%2F1@db:5432/a"),
        ("sqlite:////var/a.db", "sqlite:////var/a.db"),
    ],
)
def test_the_password_of_the_database_may_be_in_a_file(tmp_path, url, expected):
    file = tmp_path / "password"
    file.write_text("p@ss/1\n")
    store_settings = settings.StoreSettings(database_url=url, database_password_file=file)
    assert store_settings.database == expected


def test_the_image_has_the_programs_that_copy_the_server():
    (server_version,) = re.findall(r"^postgres:(\d+)", SERVICES["postgres"]["image"])
    (client_version,) = re.findall(r"\bpostgresql-client-(\d+)\b", DOCKERFILE)
    assert int(client_version) >= int(server_version)
