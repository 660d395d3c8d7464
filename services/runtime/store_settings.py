"""The settings of the database, its keys and the study: plain values, which every command reads.

The library for the settings of services loads longer than most commands take to answer.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote

from services.runtime.settings_error import SettingsError
from services.runtime.similar_variables import PREFIX

ReceptionClock = Literal["wall", "message"]
DATABASE_SCHEMES = ("postgresql+psycopg", "sqlite")


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The places of the database, its keys and the study; see `read_store_settings`.

    ``AEGIS_DATA``, ``AEGIS_DATABASE_URL`` (empty: SQLite in the data folder),
    ``AEGIS_DATABASE_PASSWORD_FILE`` (a file that holds the password of its user), ``AEGIS_KEYS``
    (empty: ``keys`` in the data folder, beside the folder of the database), ``AEGIS_STUDY``,
    ``AEGIS_CLOCK`` (message: a fact is received when its message was sent), ``AEGIS_TOKEN_FILE``
    (of who is signed in at the command line; empty: ``login.token`` in the data folder).
    """

    data: Path = Path("var")
    database_url: str = ""
    database_password_file: Path | None = None
    keys: Path | None = None
    study: Path = Path("studies/blina-hsct")
    clock: ReceptionClock = "wall"
    token_file: Path | None = None
    is_study_chosen: bool = False  # an option or a variable names it

    @property
    def database(self) -> str:
        """The URL of the database, with the password of its file."""
        url = self.database_url or f"sqlite:///{(self.data / 'db' / 'aegis.db').absolute()}"
        return add_password(url, self.database_password_file)

    @property
    def keys_folder(self) -> Path:
        """The folder of the keys, outside that of the database."""
        return self.keys or self.data / "keys"

    @property
    def login_token(self) -> Path:
        """The file of who is signed in at the command line."""
        return self.token_file or self.data / "login.token"


def add_password(url: str, file: Path | None) -> str:
    """Return the URL of a database with the password in *file* for its user; None: it has none."""
    if file is None:
        return url
    user, separator, place = url.rpartition("@")
    password = quote(file.read_text().strip(), safe="")
    return f"{user}:{password}{separator}{place}" if separator else url


_NAMES = tuple(field.name for field in fields(StoreSettings) if field.name != "is_study_chosen")
_FOLDERS_AND_FILES = frozenset({"data", "database_password_file", "keys", "study", "token_file"})
STORE_VARIABLES = frozenset(f"{PREFIX}{name.upper()}" for name in _NAMES)


def read_store_settings(**options: Any) -> StoreSettings:  # noqa: ANN401 - of the fields' types
    """Return the settings from the environment; *options* win over it.

    Raises:
        SettingsError: A value cannot be.
    """
    environment = {name.upper(): value for name, value in os.environ.items()}
    variables = {name: environment.get(f"{PREFIX}{name.upper()}") for name in _NAMES}
    values = {name: value for name, value in variables.items() if value is not None} | options
    if faults := list(_find_faults(values)):
        raise SettingsError("; ".join(faults))
    for name in _FOLDERS_AND_FILES & values.keys():
        values[name] = None if values[name] is None else Path(values[name])
    return StoreSettings(**values, is_study_chosen="study" in values)


def find_file_fault(path: str | Path | None) -> str:
    """Return that there is no file at *path*; empty: there is, or none is named."""
    return "" if path is None or Path(path).is_file() else f"there is no file {Path(path)}"


def _find_url_fault(url: str) -> str:
    """Return the fault of *url*, which is not shown: it may hold a password. Empty: it has none."""
    scheme, separator, _ = url.partition("://")
    if not url or (scheme in DATABASE_SCHEMES and separator):
        return ""
    if not separator:
        return "it is SCHEME://..., like sqlite:////var/aegis.db"
    (nearest,) = get_close_matches(scheme, sorted(DATABASE_SCHEMES), n=1, cutoff=0.0)
    return f"there is no database {scheme}; did you mean {nearest}?"


def _find_clock_fault(clock: str) -> str:
    wall, message = get_args(ReceptionClock)
    is_clock = clock in (wall, message)
    return "" if is_clock else f"must be {wall!r} or {message!r}, not {clock!r}"


_FAULTS: Mapping[str, Callable[[Any], str]] = {
    "database_url": _find_url_fault,
    "database_password_file": find_file_fault,
    "clock": _find_clock_fault,
}


def _find_faults(values: Mapping[str, Any]) -> Iterator[str]:
    for name, find_fault in _FAULTS.items():
        if name in values and (fault := find_fault(values[name])):
            yield f"{PREFIX}{name.upper()}: {fault}"
