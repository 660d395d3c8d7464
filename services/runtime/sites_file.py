"""A study's ``sites.yaml``: who sends, in which time zone, and by which codes of their own."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import Document, read_yaml_file

SITES = "sites.yaml"


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
    decimal_mark: Literal["", ".", ","] = ""
    thousands_mark: Literal["", ".", ",", "'", " "] = ""


class SitesFile(StrictModel):
    """``sites.yaml``, word for word."""

    sites: Annotated[tuple[SiteRow, ...], Field(min_length=1)]


def read_sites_file(folder: Path) -> tuple[Document, tuple[SiteRow, ...]]:
    """Return the file of the study in *folder*, and its sites.

    Raises:
        UntrustedFileError: It is missing or not YAML; a key is missing, unknown or given twice; a
            time zone is none; two sites share an id or a sender.
    """
    document = read_yaml_file(folder / SITES)
    sites = read_model(document, SitesFile).sites
    if faults := list(_find_faults(sites)):
        raise document.refusal(faults)
    return document, sites


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


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
