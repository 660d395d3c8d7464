"""The strict reader of a study's ``sites.yaml``: it refuses any key that it does not know."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.ingest.domain.site import CodeTables, SiteMap, Sites
from services.runtime.yaml_keys import find_repeated_keys, read_yaml

FILE = "sites.yaml"


class SiteFileError(ValueError):
    """``sites.yaml`` cannot be used; the message names the place and the remedy."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    id: str = Field(pattern="^[a-z0-9-]+$")
    timezone: str
    senders: tuple[str, ...] = ()
    authorities: Mapping[str, str] = {}
    codes: Mapping[str, str] = {}
    units: Mapping[str, str] = {}
    drugs: Mapping[str, str] = {}
    devices: Mapping[str, str] = {}
    icu: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sites: tuple[_Row, ...] = Field(min_length=1)


def load_sites(folder: Path, tables: CodeTables) -> Sites:
    """Return the sites of the study in *folder*.

    Raises:
        SiteFileError: It is missing or not YAML; a key is unknown or given twice; two sites share
            an id or a sender; a code leads to nothing that is graded.
    """
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
        if twice := next(find_repeated_keys(text), None):
            raise SiteFileError(f"{path}: {twice}: given twice; keep one of them")
        rows = _File.model_validate(read_yaml(text)).sites
    except OSError as error:
        raise SiteFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SiteFileError(f"{path}: is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        problem = first["msg"]
        if first["type"] == "extra_forbidden":
            problem = f"there is no such key; a site has {', '.join(_Row.model_fields)}"
        raise SiteFileError(f"{path}: {where}: {problem}") from error
    sites = tuple(_site(row) for row in rows)
    for where, problem in _faults(sites, tables):
        raise SiteFileError(f"{path}: {where}: {problem}")
    return Sites.build(sites)


def _site(row: _Row) -> SiteMap:
    return SiteMap(
        row.id,
        row.timezone,
        row.senders,
        row.authorities,
        row.codes,
        row.units,
        row.drugs,
        row.devices,
        frozenset(row.icu),
    )


def _faults(sites: tuple[SiteMap, ...], tables: CodeTables) -> list[tuple[str, str]]:
    found = []
    senders: dict[str, str] = {}
    ids: set[str] = set()
    known = {
        "codes": tables.measures,
        "units": frozenset(tables.units.values()),
        "drugs": frozenset(tables.drugs.values()),
        "devices": frozenset(w for (measure, _), w in tables.words.items() if "oxygen" in measure),
    }
    for site in sites:
        if site.id in ids:
            found.append((site.id, "two sites have this id"))
        ids.add(site.id)
        try:
            ZoneInfo(site.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            found.append((f"{site.id}.timezone", f"{site.timezone!r} is no IANA time zone"))
        for sender in site.senders:
            if sender in senders:
                found.append((f"{site.id}.senders", f"{sender} sends for {senders[sender]} too"))
            senders[sender] = site.id
        for name, targets in known.items():
            for local, target in getattr(site, name).items():
                if target not in targets:
                    problem = f"nothing is called {target!r}{_meant(target, targets)}"
                    found.append((f"{site.id}.{name}.{local}", problem))
    return found


def _meant(written: str, known: frozenset[str]) -> str:
    close = get_close_matches(written, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
