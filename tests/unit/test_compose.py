"""``deploy/compose.yaml`` and the image: what is named is there, each container has its walls."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.local.workers import ROLES
from deploy.make_secrets import READERS, list_secrets
from services.cli.main import build_parser, load_command
from services.runtime import settings
from services.runtime.store_settings import read_store_settings
from services.store.roles import BACKUP, VIEWS, name_role
from services.store.roles import SERVICES as ROLE_NAMES

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


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_version_and_a_digest_that_somebody_has_to_name(name):
    image = SERVICES[name]["image"]
    if name not in AEGIS_SERVICES:
        assert re.fullmatch(r"[a-z/]+:v?[\d.]+@\$\{[A-Z]+_DIGEST:\?.+\}", image)


def test_the_image_is_built_upon_a_digest_without_a_default():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases == ["python:3.11-slim-bookworm@${PYTHON_DIGEST}"] * 2
    assert re.findall(r"^ARG (.+)$", DOCKERFILE, re.MULTILINE) == ["PYTHON_DIGEST"]
    assert DOCKERFILE.index("ARG PYTHON_DIGEST") < DOCKERFILE.index("FROM")
    arguments = {service["build"]["args"]["PYTHON_DIGEST"] for service in AEGIS_SERVICES.values()}
    assert all(re.fullmatch(r"\$\{PYTHON_DIGEST:\?.+\}", one) for one in arguments)


def test_the_first_lines_say_how_to_name_every_digest():
    head = (DEPLOY / "compose.yaml").read_text().partition("name: aegis")[0]
    named_images = set(re.search(r"for image in (.+); do", head)[1].split())
    used_images = {one["image"].partition("@")[0] for one in SERVICES.values()} - {"aegis"}
    assert named_images == used_images | {re.search(r"^FROM (\S+)@", DOCKERFILE, re.MULTILINE)[1]}
    for name, service in SERVICES.items():
        if name not in AEGIS_SERVICES:
            image, _, digest = service["image"].partition("@")
            variable = image.partition(":")[0].rpartition("/")[2].upper()  # ${name^^}_DIGEST
            assert digest.startswith(f"${{{variable}_DIGEST:?")


# What each container may do beside reading: its user, the capabilities that it keeps, whether its
# own files can be written.
WALLS = {
    **dict.fromkeys(AEGIS_SERVICES, ("10001:10001", [], True)),
    "postgres": ("999:999", [], True),
    "kafka": ("1000:1000", [], False),  # its start writes the configuration beside the program
    "prometheus": ("65534:65534", [], True),
    "grafana": ("472:0", [], True),
    "grafana-dsmb": ("472:0", [], True),
    "logins": ("0:0", ["DAC_READ_SEARCH"], True),  # reads the secrets of several users
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_its_walls(name):
    service = SERVICES[name]
    capabilities = service.get("cap_add", [])
    assert (service["user"], capabilities, service["read_only"]) == WALLS[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 512
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & service.keys()


# The login of each container, whether it has keys ("rw": it makes them), and its secrets.
LOGINS = {
    "migrate": ("aegis_owner", "rw", {"database_owner_password"}),
    "topics": (None, None, set()),
    "ingest": ("aegis_ingest", "ro", {"database_ingest_password"}),
    "relay": ("aegis_relay", None, {"database_relay_password"}),
    "rules": ("aegis_rules", "ro", {"database_rules_password"}),
    "alerts": ("aegis_alerts", "ro", {"database_alerts_password"}),
    "console": (
        "aegis_console",
        "ro",
        {"database_console_password", "database_board_password"},
    ),
    "backup": ("aegis_backup", "ro", {"database_backup_password"}),
}


@pytest.mark.parametrize("name", AEGIS_SERVICES)
def test_a_process_has_a_login_of_its_own_and_no_keys_or_secrets_of_others(name):
    service = SERVICES[name]
    url = service["environment"].get("AEGIS_DATABASE_URL", "")
    login = url.partition("//")[2].partition("@")[0] or None
    keys = [one for one in service.get("volumes", ()) if one.startswith("keys:")]
    access = ("ro" if keys[0].endswith(":ro") else "rw") if keys else None
    assert (login, access, set(service.get("secrets", ()))) == LOGINS[name]
    if login:
        file = service["environment"]["AEGIS_DATABASE_PASSWORD_FILE"]
        assert file == f"/run/secrets/database_{login.removeprefix('aegis_')}_password"


def test_every_login_is_made_and_only_from_secrets_that_are_mounted():
    script = (DEPLOY / "postgres" / "logins.sql").read_text()
    made_names = set(re.findall(r"\('(aegis_\w+)', :", script))
    assert made_names == {name_role(one) for one in (*ROLE_NAMES, *VIEWS, BACKUP, "owner")}
    assert {*list_secrets(script), "database_password"} == set(SERVICES["logins"]["secrets"])


def test_each_secret_belongs_to_the_user_of_the_container_that_reads_it():
    assert set(READERS) == set(COMPOSE["secrets"])
    for name, service in SERVICES.items():
        for secret in service.get("secrets", ()):
            if name != "logins":
                assert READERS[secret] == int(service["user"].partition(":")[0]), (name, secret)


def test_the_two_grafanas_share_no_secret():
    first, second = (set(SERVICES[name]["secrets"]) for name in ("grafana", "grafana-dsmb"))
    assert not first & second


@pytest.mark.parametrize("name", AEGIS_SERVICES)
def test_what_a_process_writes_is_on_a_volume_or_in_memory(name):
    places = [one.partition(":")[0] for one in SERVICES[name]["tmpfs"]]
    assert places == ["/tmp", "/var/lib/aegis"]  # noqa: S108 - of the container
    assert '["/var/lib/aegis", "/keys"]' in DOCKERFILE  # of one process: its data


def test_a_container_that_serves_is_asked_whether_it_makes_progress_and_no_other():
    for name, service in AEGIS_SERVICES.items():
        is_disabled = service.get("healthcheck", {}).get("disable", False)
        assert is_disabled == (service["command"][0] != "run"), name
    assert '"-m", "deploy.health_check"' in DOCKERFILE


def test_the_mail_server_has_no_default_within_the_container():
    assert re.search(r"\bAEGIS_SMTP_HOST= ?\\?$", DOCKERFILE, re.MULTILINE)
    host = SERVICES["alerts"]["environment"]["AEGIS_SMTP_HOST"]
    assert re.fullmatch(r"\$\{AEGIS_SMTP_HOST:\?.+\}", host)


def test_the_image_has_the_packages_of_run_time_alone_and_runs_as_nobody_special():
    assert re.findall(r"--require-hashes -r (\S+)", DOCKERFILE) == ["requirements.lock"]
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert "requirements-dev" not in DOCKERFILE


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
    store_settings = read_store_settings(database_url=url, database_password_file=file)
    assert store_settings.database == expected


def test_the_image_has_the_programs_that_copy_the_server():
    (server_version,) = re.findall(r"^postgres:(\d+)", SERVICES["postgres"]["image"])
    (client_version,) = re.findall(r"\bpostgresql-client-(\d+)\b", DOCKERFILE)
    assert int(client_version) >= int(server_version)
