"""``recipients.yaml`` of a study: who is told, in which role, at which address."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.runtime.yaml_keys import repeated_keys

FILE = "recipients.yaml"


class RecipientsFileError(ValueError):
    """The file cannot be trusted; the message says where and what to do."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    email: str = Field("", pattern=r"^$|^[^@\s]+@[^@\s]+$")
    webhook: str = Field("", pattern=r"^$|^https?://\S+$")

    @model_validator(mode="after")
    def _one_address(self) -> "_Row":
        if bool(self.email) == bool(self.webhook):
            raise ValueError("give either email or webhook")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: Mapping[str, tuple[_Row, ...]]


def load_recipients(folder: Path) -> Recipients:
    """Return everybody whom the study in *folder* names.

    Raises:
        RecipientsFileError: It is missing or not YAML; a key is unknown or given twice; an address
            is none.
    """
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
        if twice := next(repeated_keys(text), None):
            raise RecipientsFileError(f"{path}: {twice}: given twice; keep one of them")
        file = _File.model_validate(yaml.safe_load(text))
    except OSError as error:
        raise RecipientsFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipientsFileError(f"{path}: is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise RecipientsFileError(f"{path}: {where}: {first['msg']}") from error
    return Recipients(
        {role: tuple(_recipient(role, row) for row in rows) for role, rows in file.roles.items()}
    )


def _recipient(role: str, row: _Row) -> Recipient:
    if row.email:
        return Recipient(role, row.name, Channel.EMAIL, row.email)
    return Recipient(role, row.name, Channel.WEBHOOK, row.webhook)
