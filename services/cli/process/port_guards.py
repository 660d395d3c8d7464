"""Guards of the ports of a process: a missing one ends it, one left out on purpose is warned of."""

from collections.abc import Iterator
from ipaddress import ip_address

from services.cli.command import CommandError
from services.ingest.intake import Intake
from services.runtime.settings import HttpSettings, IngestSettings

CHECK_SETTINGS = "check_the_settings"  # the event of what was left open


def require_known_senders(settings: IngestSettings, intake: Intake) -> None:
    """Require that a port for other machines takes messages of known senders only.

    Raises:
        CommandError: It would take them from anybody, or from nobody; names the settings.
    """
    place = f"MLLP on {settings.mllp_host}"
    if settings.mllp_open:
        return
    if settings.mllp_client_ca is not None and not intake.sites.by_certificate:
        raise CommandError(
            f"{place}: AEGIS_MLLP_CLIENT_CA asks for certificates, and no site has one: name their"
            " subjects under `certificates` in sites.yaml"
        )
    if not is_known_sender_asked_for(settings, intake) and not is_own_machine(settings.mllp_host):
        raise CommandError(
            f"{place} would take messages from anybody: ask for certificates"
            " (AEGIS_MLLP_CLIENT_CA), or name the `addresses` of each site in sites.yaml;"
            " AEGIS_MLLP_OPEN=yes leaves it open"
        )


def is_known_sender_asked_for(settings: IngestSettings, intake: Intake) -> bool:
    """Return True when the port takes messages only of senders that some site names."""
    asks_certificates = settings.mllp_client_ca is not None
    return not settings.mllp_open and (asks_certificates or intake.sites.has_allow_list)


def list_mllp_warnings(settings: IngestSettings, intake: Intake) -> Iterator[str]:
    """Yield a warning for each guard that the MLLP port lacks."""
    place = f"MLLP on {settings.mllp_host}"
    if settings.mllp_open:
        bound_count = sum(site.is_bound for site in intake.sites.by_id.values())
        count = len(intake.sites.by_id) - bound_count
        yield (
            f"{place} is open (AEGIS_MLLP_OPEN): anybody who reaches it may send for {count} of"
            f" {len(intake.sites.by_id)} sites"
        )
    if settings.mllp_certificate is None and not is_own_machine(settings.mllp_host):
        yield f"{place} is not encrypted: AEGIS_MLLP_CERTIFICATE and AEGIS_MLLP_KEY encrypt it"


def list_http_warnings(settings: HttpSettings) -> Iterator[str]:
    """Yield a warning for each guard that the HTTP port lacks."""
    is_encrypted = settings.http_certificate is not None or settings.http_behind_proxy
    if not is_encrypted and not is_own_machine(settings.http_host):
        yield (
            f"HTTP on {settings.http_host} is not encrypted: AEGIS_HTTP_CERTIFICATE and"
            " AEGIS_HTTP_KEY encrypt it; AEGIS_HTTP_BEHIND_PROXY=yes says that a proxy does"
        )


def is_own_machine(host: str) -> bool:
    """Return True when only this machine reaches a port on *host*.

    >>> [is_own_machine(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "db", "")]
    [True, True, True, False, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
