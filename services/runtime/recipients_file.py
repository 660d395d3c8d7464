"""A study's ``recipients.yaml``: who is told, in which role, at which address."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from services.runtime.file_models import StrictModel, read_model
from services.runtime.strict_yaml import read_yaml_file

RECIPIENTS = "recipients.yaml"


class RecipientRow(StrictModel):
    """One person or system in one role."""

    name: str
    email: str = ""
    webhook: str = ""


class RecipientsFile(StrictModel):
    """``recipients.yaml``, word for word."""

    roles: Mapping[str, tuple[RecipientRow, ...]]


def read_recipients_file(folder: Path) -> Mapping[str, tuple[RecipientRow, ...]]:
    """Return everybody whom the study in *folder* names, by role.

    Raises:
        UntrustedFileError: It is missing or not YAML; a key is missing, unknown or given twice; an
            address is none; a person could not be told from another; a role is nobody's.
    """
    document = read_yaml_file(folder / RECIPIENTS)
    roles = read_model(document, RecipientsFile).roles
    if faults := list(_find_faults(roles)):
        raise document.refusal(faults)
    return roles


def _find_faults(roles: Mapping[str, Sequence[RecipientRow]]) -> Iterator[tuple[str, str]]:
    for role, rows in roles.items():
        if not rows:
            yield f"roles.{role}", "names nobody: add somebody, or remove it"
        names = [row.name for row in rows]
        for index, row in enumerate(rows):
            place = f"roles.{role}.{index + 1}"
            yield from ((f"{place}{field}", problem) for field, problem in _find_row_faults(row))
            if row.name in names[:index]:
                yield f"{place}.name", f"{row.name!r} is there twice: give each a name of their own"


def _find_row_faults(row: RecipientRow) -> Iterator[tuple[str, str]]:
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
