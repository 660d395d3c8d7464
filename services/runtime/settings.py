"""Settings of the services on a machine: places and ports, never anything clinical.

Each is an environment variable ``AEGIS_...``, or an argument of its name; secrets are files. Those
of the database are in `services.runtime.store_settings`.
"""

import os
import re
from collections.abc import Iterable
from datetime import time
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.limit_settings import LimitSettings
from services.runtime.setting_faults import describe_setting_fault
from services.runtime.settings_error import SettingsError
from services.runtime.similar_variables import PREFIX, suggest_variables
from services.runtime.store_settings import STORE_VARIABLES, add_password, find_file_fault

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
SettingsClass = TypeVar("SettingsClass", bound=BaseSettings)


# Variables of the same prefix that other readers of the environment know.
_OTHER_VARIABLES = (
    "AEGIS_CACHE",  # deploy/local: downloads
    "AEGIS_FAILPOINT",  # services/runtime/failpoints
    "AEGIS_FAULT_RUNS",  # tests/faults
    "AEGIS_GRAFANA_DATABASE",  # deploy/grafana: data sources
    "AEGIS_GRAFANA_DSMB_USER",
    "AEGIS_GRAFANA_POSTGRES",
    "AEGIS_GRAFANA_PROMETHEUS",
    "AEGIS_GRAFANA_SAFETY_USER",
    "AEGIS_GRAFANA_SSLMODE",
    "AEGIS_KAFKA_CLUSTER",  # deploy/compose.yaml
)


def read_settings(kind: type[SettingsClass], **overrides: Any) -> SettingsClass:  # noqa: ANN401 - fields are checked
    """Return the settings of *kind* from the environment; *overrides* win over it.

    Raises:
        SettingsError: A value cannot be, or the environment has a variable that no setting reads.
    """
    check_variables(os.environ)
    try:
        return kind(**overrides)
    except ValidationError as error:
        problems = (
            f"{PREFIX}{'_'.join(map(str, one['loc'])).upper()}: {describe_setting_fault(one)}"
            for one in error.errors()
        )
        raise SettingsError("; ".join(problems)) from error


def check_variables(names: Iterable[str]) -> None:
    """Require that each variable of *names* that begins with ``AEGIS_`` is known.

    Raises:
        SettingsError: One is not; the message names it and the most similar known one.
    """
    known_names = list_known_variables()
    for name in sorted(names):
        variable = name.upper()  # as pydantic-settings reads them
        if variable.startswith(PREFIX) and variable not in known_names:
            hint = suggest_variables(variable, known_names)
            raise SettingsError(f"{name}: there is no such setting; {hint}")


def list_known_variables() -> frozenset[str]:
    """Return the environment variables ``AEGIS_...`` that some part of Aegis reads."""
    fields = (name for kind in SETTINGS for name in kind.model_fields)
    variables = frozenset(f"{PREFIX}{name.upper()}" for name in fields)
    return variables | STORE_VARIABLES | {*_OTHER_VARIABLES}


class IngestSettings(BaseSettings):
    """The MLLP port: ``AEGIS_MLLP_HOST``, ``AEGIS_MLLP_PORT``; port 0 takes a free one.

    ``AEGIS_MLLP_CERTIFICATE`` and ``..._KEY`` (PEM files) encrypt the port;
    ``AEGIS_MLLP_CLIENT_CA`` asks every client for a certificate of that authority.
    ``AEGIS_MLLP_OPEN``: other machines may send although no certificate or address is asked for.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    mllp_host: str = "127.0.0.1"
    mllp_port: Port = 2575
    mllp_certificate: Path | None = None
    mllp_key: Path | None = None
    mllp_client_ca: Path | None = None
    mllp_open: bool = False

    @field_validator("mllp_certificate", "mllp_key", "mllp_client_ca")
    @classmethod
    def _is_there(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return _require_certificate(path, info, "mllp_certificate")


class HttpSettings(BaseSettings):
    """The HTTP port of pages and messages: ``AEGIS_HTTP_HOST``, ``AEGIS_HTTP_PORT``.

    ``AEGIS_HTTP_CERTIFICATE`` and ``..._KEY`` (PEM files) encrypt it; with
    ``AEGIS_HTTP_CLIENT_CA`` a site may show a certificate of that authority instead of a key.
    ``AEGIS_HTTP_BEHIND_PROXY`` says that a proxy encrypts, through which all requests come.
    ``AEGIS_METRICS_HOST`` and ``AEGIS_METRICS_PORT`` give metrics and health a port of their own;
    without, they are here.
    ``AEGIS_PUBLIC_URL`` is the address for people, in links of mails; empty: host and port.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    http_certificate: Path | None = None
    http_key: Path | None = None
    http_client_ca: Path | None = None
    http_behind_proxy: bool = False
    metrics_host: str = "127.0.0.1"
    metrics_port: Port | None = None
    public_url: str = ""

    @field_validator("http_certificate", "http_key", "http_client_ca")
    @classmethod
    def _is_there(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return _require_certificate(path, info, "http_certificate")

    @property
    def port_count(self) -> int:
        """The number of ports for HTTP."""
        return 1 if self.metrics_port is None else 2

    @property
    def url(self) -> str:
        """The start of every link, without a slash at its end."""
        scheme = "http" if self.http_certificate is None else "https"
        return self.public_url.rstrip("/") or f"{scheme}://{self.http_host}:{self.http_port}"


class KafkaSettings(BaseSettings):
    """The brokers: ``AEGIS_KAFKA``, like ``kafka-1:9092,kafka-2:9092``; empty: none.

    ``AEGIS_KAFKA_CA`` (a PEM file) encrypts the connections and is the authority of the brokers'
    certificates; ``AEGIS_KAFKA_CERTIFICATE`` and ``..._KEY`` are the client's own.
    ``AEGIS_KAFKA_TOPICS`` names another file than ``deploy/kafka/topics.yaml``.
    ``AEGIS_KAFKA_SESSION_S``: a worker that is silent for so long has lost its partitions.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    kafka: str = ""
    kafka_ca: Path | None = None
    kafka_certificate: Path | None = None
    kafka_key: Path | None = None
    kafka_topics: Path | None = None
    kafka_session_s: Annotated[float, Field(ge=1, le=300)] = 10.0

    @field_validator("kafka")
    @classmethod
    def _names_brokers(cls, servers: str) -> str:
        for server in filter(None, servers.split(",")):
            if not re.fullmatch(r"\s*(\[[0-9a-fA-F:]+\]|[^\s:\[\]]+):\d{1,5}\s*", server):
                raise ValueError(
                    f"a broker is HOST:PORT, several are separated by commas, not {server!r}"
                )
        return servers

    @field_validator("kafka_ca", "kafka_certificate", "kafka_key", "kafka_topics")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        return _require_file(path)

    @property
    def servers(self) -> list[str]:
        """The brokers of the first contact."""
        return [server.strip() for server in self.kafka.split(",") if server.strip()]


class SweeperSettings(BaseSettings):
    """The sweeper of lost records: ``AEGIS_SWEEP_EVERY_S``, ``AEGIS_LEFT_BEHIND_S``.

    The interval of the search, and the seconds without progress after which a record is lost.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    sweep_every_s: Seconds = 10.0
    left_behind_s: Seconds = 30.0


class RulesSettings(BaseSettings):
    """The memory of the rules in each process: ``AEGIS_RULES_CACHE_MB``."""

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    rules_cache_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 256


class AlertSettings(BaseSettings):
    """The channels of mails and webhooks: ``AEGIS_SMTP_HOST``, ``..._PORT``, and so on.

    ``AEGIS_CHAT_URLS_FILE`` names a file of chats, ``NAME URL`` to a line.
    ``AEGIS_DAILY_NOTE_AT`` is the time of the daily note in UTC, empty: none.
    ``AEGIS_SMTP_PASSWORD_FILE`` and ``AEGIS_WEBHOOK_SECRET_FILE`` name files that hold the secret.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    smtp_host: str = "127.0.0.1"
    smtp_port: Port = 25
    smtp_from: str = "aegis@localhost"
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password_file: Path | None = None
    webhook_secret_file: Path | None = None
    chat_urls_file: Path | None = None
    delivery_deadline_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    daily_note_at: Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$")] = "06:00"

    @field_validator("smtp_password_file", "webhook_secret_file", "chat_urls_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        return _require_file(path)

    @property
    def note_time(self) -> time | None:
        """The time of the daily note, in UTC; None: there is none."""
        return time.fromisoformat(self.daily_note_at) if self.daily_note_at else None

    @property
    def smtp_password(self) -> SecretStr | None:
        """The password of the mail server; None when it wants none."""
        return _read_secret(self.smtp_password_file)

    @property
    def webhook_secret(self) -> SecretStr | None:
        """The key that signs webhooks; None: they are not sent."""
        return _read_secret(self.webhook_secret_file)


_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class PeopleSettings(BaseSettings):
    """The time of a sign-in: ``AEGIS_SESSION_S``, ``..._IDLE_S``, ``AEGIS_TOKEN_S``.

    A browser until it was not used for so long, and at most for so long; a command line for so
    long. ``AEGIS_OIDC_ISSUER``, ``AEGIS_OIDC_CLIENT`` and ``AEGIS_OIDC_SECRET_FILE`` name the
    provider of the institution, where persons may sign in too; empty: there is none.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    session_s: Seconds = 43_200.0
    session_idle_s: Seconds = 1_800.0
    token_s: Seconds = 28_800.0
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret_file: Path | None = None

    @field_validator("oidc_secret_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        return _require_file(path)

    @field_validator("oidc_issuer")
    @classmethod
    def _is_encrypted(cls, address: str) -> str:
        host = urlsplit(address).hostname or ""
        if address and not (address.startswith("https://") or host in _THIS_MACHINE):
            raise ValueError("the provider has to be reached by https://")
        return address.rstrip("/")

    @property
    def oidc_secret(self) -> SecretStr | None:
        """The secret of the client at the provider; None: there is no provider."""
        return _read_secret(self.oidc_secret_file)


class ConsoleSettings(BaseSettings):
    """The login for the pages of the DSMB: ``AEGIS_BOARD_DATABASE_URL``, ``..._PASSWORD_FILE``.

    It may read the views of the DSMB and nothing else. Empty: the login of the process acts as
    that role.
    """

    model_config = SettingsConfigDict(env_prefix="AEGIS_", frozen=True, extra="forbid")

    board_database_url: str = ""
    board_database_password_file: Path | None = None

    @field_validator("board_database_password_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        return _require_file(path)

    @property
    def board_database(self) -> str:
        """The URL with the password of its file; empty: there is no login of its own."""
        return add_password(self.board_database_url, self.board_database_password_file)


SETTINGS: tuple[type[BaseSettings], ...] = (
    IngestSettings,
    HttpSettings,
    KafkaSettings,
    SweeperSettings,
    RulesSettings,
    AlertSettings,
    PeopleSettings,
    ConsoleSettings,
    LimitSettings,
)


def _require_file(path: Path | None) -> Path | None:
    if fault := find_file_fault(path):
        raise ValueError(fault)
    return path


def _require_certificate(path: Path | None, info: ValidationInfo, certificate: str) -> Path | None:
    """Require that the file is there; without the setting *certificate* it would do nothing."""
    if path is not None and info.field_name != certificate and info.data.get(certificate) is None:
        raise ValueError(
            f"the port is encrypted only with {PREFIX}{certificate.upper()}: name that too"
        )
    return _require_file(path)


def _read_secret(path: Path | None) -> SecretStr | None:
    return None if path is None else SecretStr(path.read_text().strip())
