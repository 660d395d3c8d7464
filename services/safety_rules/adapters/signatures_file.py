"""A study's ``signatures.yaml``: who signed which version of the protocol file."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import read_yaml_file

_SIGNATURES = "signatures.yaml"


def _parse_date(value: object) -> object:
    """Return the date that text names.

    >>> _parse_date("2026-01-31")
    datetime.date(2026, 1, 31)
    """
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError(f"a date is written like 2026-01-31, not {value!r}")
    return date.fromisoformat(value)


_Date = Annotated[date, BeforeValidator(_parse_date)]


class _SignatureRow(StrictModel):
    name: str = Field(min_length=1)
    role: str = Field(min_length=1)
    date: _Date
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class SignaturesFile(StrictModel):
    """``signatures.yaml``, word for word."""

    signatures: tuple[_SignatureRow, ...] = ()

    def list_signers(self, sha256: str) -> tuple[str, ...]:
        """Return ``name, role, date`` of each signature over the file of that hash."""
        return tuple(
            f"{row.name}, {row.role}, {row.date.isoformat()}"
            for row in self.signatures
            if row.sha256 == sha256
        )


def load_signatures(folder: Path) -> SignaturesFile:
    """Return the signatures of the study in *folder*; none without the file.

    Raises:
        UntrustedFileError: The file cannot be trusted.
    """
    file = folder / _SIGNATURES
    return read_model(read_yaml_file(file), SignaturesFile) if file.exists() else SignaturesFile()
