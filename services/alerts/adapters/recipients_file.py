"""``recipients.yaml`` of a study: who is told, in which role, at which address."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from services.alerts.domain.due_notice import OPERATOR
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.runtime.yaml_keys import find_repeated_keys, read_yaml

FILE = "recipients.yaml"
_IN_WORDS = {
    "extra_forbidden": "nothing is called that here",
    "missing": "is missing",
    "model_type": "begin with `roles:`",
}


class RecipientsFileError(ValueError):
    """The file cannot be trusted; the message says where and what to do."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    email: str = ""
    webhook: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    roles: Mapping[str, tuple[_Row, ...]]


def load_recipients(folder: Path) -> Recipients:
    """Return everybody whom the study in *folder* names.

    Raises:
        RecipientsFileError: It is missing or not YAML; a key is unknown or given twice; an address
            is none; a role or a person could not be told from another, or is nobody.
    """
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
        if twice := next(find_repeated_keys(text), None):
            raise RecipientsFileError(f"{path}: {twice}: given twice; keep one of them")
        file = _File.model_validate(read_yaml(text))
    except OSError as error:
        raise RecipientsFileError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipientsFileError(f"{path}: is no YAML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        problem = _IN_WORDS.get(first["type"], first["msg"])
        raise RecipientsFileError(f"{path}: {where}: {problem}") from error
    if fault := next(_faults(file), None):
        raise RecipientsFileError(f"{path}: {fault}")
    return Recipients(
        {role: tuple(_recipient(role, row) for row in rows) for role, rows in file.roles.items()}
    )


def _faults(file: _File) -> Iterator[str]:
    if OPERATOR not in file.roles:
        yield f"roles: has no {OPERATOR}, who is told when a notice cannot be delivered"
    for role, rows in file.roles.items():
        if not rows:
            yield f"roles.{role}: names nobody"
        for index, row in enumerate(rows):
            for field, problem in _row_faults(row):
                yield f"roles.{role}.{index}{field}: {problem}"
        counts = Counter(row.name for row in rows)
        for name in (name for name, count in counts.items() if count > 1):
            yield f"roles.{role}: {name!r} is there twice; give each a name of their own"


def _row_faults(row: _Row) -> Iterator[tuple[str, str]]:
    if not row.name.strip():
        yield ".name", "is empty"
    if bool(row.email) == bool(row.webhook):
        yield "", "give either email or webhook"
    if row.email and not _is_address(row.email):
        yield ".email", f"{row.email!r} is no e-mail address"
    if row.webhook and not _is_url(row.webhook):
        yield ".webhook", f"{row.webhook!r} is no http:// or https:// address"


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and host) and "@" not in host and not any(map(str.isspace, text))


def _is_url(text: str) -> bool:
    scheme, _, rest = text.partition("://")
    return scheme in ("http", "https") and bool(rest) and not any(map(str.isspace, text))


def _recipient(role: str, row: _Row) -> Recipient:
    if row.email:
        return Recipient(role, row.name, Channel.EMAIL, row.email)
    return Recipient(role, row.name, Channel.WEBHOOK, row.webhook)
