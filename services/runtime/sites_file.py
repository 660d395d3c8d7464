"""A study's ``sites.yaml``: who sends, in which time zone, and by which codes of their own."""

import re
from collections.abc import Iterator, Mapping
from datetime import time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from services.runtime.certificate_subjects import normalize_subject
from services.runtime.file_models import Duration, StrictModel, read_model
from services.runtime.strict_yaml import Document, read_yaml, read_yaml_file

SITES = "sites.yaml"

Network = IPv4Network | IPv6Network


def parse_network(text: object) -> object:
    """Return the network, or the single address, that *text* names.

    >>> parse_network("10.4.0.0/16"), parse_network("::1")
    (IPv4Network('10.4.0.0/16'), IPv6Network('::1/128'))

    Raises:
        ValueError: It names neither.
    """
    try:
        return ip_network(text) if isinstance(text, str) else text
    except ValueError as error:
        raise ValueError(f"is no address like 10.4.0.7 or 10.4.0.0/16: {error}") from error


def parse_hours(text: object) -> object:
    """Return the two times of a day in ``06:00-22:00``.

    >>> parse_hours("06:00-22:00")
    (datetime.time(6, 0), datetime.time(22, 0))

    Raises:
        ValueError: It is something else, or ends before it begins.
    """
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        raise ValueError(f"hours are written like 06:00-22:00, not {text!r}")
    begins_at, ends_at = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if ends_at <= begins_at:
        raise ValueError(f"{text!r} ends before it begins")
    return begins_at, ends_at


class ExpectationRow(StrictModel):
    """The usual rhythm of a site: it is silent when its feed is quiet for longer."""

    labs: Duration | None = None
    vitals: Duration | None = None
    between: Annotated[tuple[time, time] | None, BeforeValidator(parse_hours)] = None


class SiteRow(StrictModel):
    """One site; `services.ingest.domain.site.SiteMap` says what its keys mean."""

    id: str = Field(pattern="^[a-z0-9-]+$")
    timezone: str
    senders: tuple[str, ...] = ()
    authorities: Mapping[str, str] = {}
    codes: Mapping[str, str] = {}
    units: Mapping[str, str] = {}
    drugs: Mapping[str, str] = {}
    devices: Mapping[str, str] = {}
    icu: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    decimal_mark: Literal["", ".", ","] = ""
    thousands_mark: Literal["", ".", ",", "'", " "] = ""
    addresses: tuple[Annotated[Network, BeforeValidator(parse_network)], ...] = ()
    certificates: tuple[Annotated[str, AfterValidator(normalize_subject)], ...] = ()
    expect: ExpectationRow | None = None
    principals: tuple[Annotated[str, Field(pattern="^User:[^*].*$")], ...] = ()

    @property
    def kafka_principals(self) -> frozenset[str]:
        """The names of its Kafka clients: its principals, or without any its certificates."""
        return frozenset(self.principals or (f"User:{one}" for one in self.certificates))


class SitesFile(StrictModel):
    """``sites.yaml``, word for word."""

    sites: Annotated[tuple[SiteRow, ...], Field(min_length=1)]
    pseudonyms: str = ""  # a regular expression that a whole pseudonym matches; empty: the default


def read_sites_file(folder: Path) -> tuple[Document, tuple[SiteRow, ...]]:
    """Return the file of the study in *folder*, and its sites; see `read_sites_content`."""
    document, content = read_sites_content(folder)
    return document, content.sites


def list_site_ids(text: str) -> list[str]:
    """Return the ids of the sites in the *text* of a file that runs, in its order.

    >>> list_site_ids("sites: [{id: west, timezone: Europe/Oslo}]")
    ['west']
    """
    return [row["id"] for row in read_yaml(text, SITES).value["sites"]]


def read_sites_content(folder: Path) -> tuple[Document, SitesFile]:
    """Return the file of the study in *folder*, and its content.

    Raises:
        UntrustedFileError: It is missing or not YAML; a key is missing, unknown or given twice; a
            time zone is none; two sites share an id, a sender, an address or a certificate; the
            form of pseudonyms is no regular expression.
    """
    document = read_yaml_file(folder / SITES)
    content = read_model(document, SitesFile)
    faults = [*_find_faults(content.sites), *_find_shared_credentials(content.sites)]
    if faults := [*faults, *_find_pattern_fault(content.pseudonyms)]:
        raise document.refusal(faults)
    return document, content


def _find_pattern_fault(pattern: str) -> Iterator[tuple[str, str]]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield (
            "pseudonyms",
            f"{pattern!r} is no regular expression ({error}): write one like P-[0-9]+",
        )


def _find_faults(sites: tuple[SiteRow, ...]) -> Iterator[tuple[str, str]]:
    owners: dict[str, str] = {}
    ids: set[str] = set()
    for site in sites:
        name = f"sites.{site.id}"
        if site.id in ids:
            yield f"{name}.id", "is the id of another site too: give each its own"
        ids.add(site.id)
        if not _is_time_zone(site.timezone):
            yield f"{name}.timezone", f"{site.timezone!r} is no IANA time zone"
        if site.thousands_mark and site.thousands_mark == (site.decimal_mark or "."):
            yield f"{name}.thousands_mark", "is the decimal mark too: name both, and not the same"
        for sender in site.senders:
            if sender in owners:
                yield f"{name}.senders", f"{sender} sends for {owners[sender]} too"
            owners[sender] = site.id


def _find_shared_credentials(sites: tuple[SiteRow, ...]) -> Iterator[tuple[str, str]]:
    """Yield a fault for each certificate, principal and address that names a second site."""
    owners: dict[str, str] = {}
    networks: list[tuple[Network, str]] = []
    for site in sites:
        name = f"sites.{site.id}"
        for key in ("certificates", "principals"):
            for credential in getattr(site, key):
                owner = owners.setdefault(credential.removeprefix("User:"), site.id)
                if owner != site.id:
                    yield f"{name}.{key}", f"{credential} is of {owner} too: give each site its own"
        for network in site.addresses:
            for other_network, owner in networks:
                if owner != site.id and _overlap(network, other_network):
                    problem = f"{network} and {other_network} of {owner} overlap: an address has"
                    yield f"{name}.addresses", f"{problem} one site"
            networks.append((network, site.id))


def _overlap(network: Network, other_network: Network) -> bool:
    return network.version == other_network.version and network.overlaps(other_network)


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
